import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmKernel } from '../../engine/op';
import type { WasmContext } from '../../wasm/context';
import { wasmDropoutArguments } from '../../wasm/dropout';
import { rowsOf, type DropoutAddInputs, type DropoutAttributes, type DropoutInputs } from './types';

type Wasm<Inputs extends DropoutInputs> = WasmKernel<Inputs, DropoutAttributes>;

/** What both kernels take but the residual. */
function shared(
  { x, random }: { x: TensorInfo; random: TensorInfo },
  attributes: DropoutAttributes,
  wasm: WasmContext,
) {
  const { keepScale, ...drawn } = wasmDropoutArguments(random, attributes, wasm);
  return { ...drawn, scale: keepScale, x: wasm.pointer(x), ...rowsOf(x.shape) };
}

export const wasmDropout: Wasm<DropoutInputs> = (inputs, attributes, wasm) => {
  const y = wasm.output(inputs.x.shape);
  wasm.call.dropout({ ...shared(inputs, attributes, wasm), y: wasm.pointer(y) });
  return y;
};

export const wasmDropoutAdd: Wasm<DropoutAddInputs> = ({ residual, ...inputs }, attributes, wasm) => {
  const y = wasm.output(inputs.x.shape);
  const numbers = shared(inputs, attributes, wasm);
  wasm.call.dropoutAdd({ ...numbers, residual: wasm.pointer(residual), y: wasm.pointer(y) });
  return y;
};
