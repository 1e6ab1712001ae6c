import { util } from '@tensorflow/tfjs-core';
import type { OpDefinition } from '../../engine/op';
import { wasmDropoutArguments } from '../../wasm/dropout';
import type { DropoutAddInputs, DropoutAttributes, DropoutInputs } from './types';

type Wasm<Inputs extends DropoutInputs> = NonNullable<OpDefinition<Inputs, DropoutAttributes>['wasm']>;

export const wasmDropout: Wasm<DropoutInputs> = ({ x, random }, attributes, wasm) => {
  const y = wasm.output(x.shape);
  const numbers = wasmDropoutArguments(random, attributes, wasm);
  wasm.kernels.dropout(wasm.pointer(x), util.sizeFromShape(x.shape), ...numbers, wasm.pointer(y));
  return [y];
};

export const wasmDropoutAdd: Wasm<DropoutAddInputs> = ({ x, residual, random }, attributes, wasm) => {
  const y = wasm.output(x.shape);
  const numbers = wasmDropoutArguments(random, attributes, wasm);
  const size = util.sizeFromShape(x.shape);
  wasm.kernels.dropoutAdd(wasm.pointer(x), wasm.pointer(residual), size, ...numbers, wasm.pointer(y));
  return [y];
};
