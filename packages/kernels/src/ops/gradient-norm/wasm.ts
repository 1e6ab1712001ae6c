import { util } from '@tensorflow/tfjs-core';
import type { WasmKernel } from '../../engine/op';
import type { SumOfSquaresInputs } from './types';

/** Summed in float64. */
export const wasmSumOfSquares: WasmKernel<SumOfSquaresInputs, object> = (inputs, _attributes, wasm) => {
  let total = 0;
  for (const tensor of Object.values(inputs)) {
    total += wasm.kernels.sumSquares(wasm.pointer(tensor), util.sizeFromShape(tensor.shape));
  }
  const output = wasm.output([1]);
  wasm.backend.typedArrayFromHeap(output)[0] = total;
  return output;
};
