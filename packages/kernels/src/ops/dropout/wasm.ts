import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { OpDefinition, WasmContext } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import type { DropoutAddInputs, DropoutAttributes, DropoutInputs } from './types';

type Wasm<Inputs extends DropoutInputs> = NonNullable<OpDefinition<Inputs, DropoutAttributes>['wasm']>;

/** A dropout as the arguments the WASM kernels share: threshold, scale, key and the counter's words. */
export function wasmDropoutArguments(
  random: TensorInfo,
  { rate, site }: DropoutAttributes,
  wasm: WasmContext,
): [number, number, number, number, number, number, number] {
  const { threshold, keepScale } = dropoutNumbers(rate);
  const [seedLow = 0, seedHigh = 0, step = 0, microBatch = 0] = wasm.backend.readSync(random.dataId) as Int32Array;
  return [threshold, keepScale, seedLow, seedHigh, site, step, microBatch];
}

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
