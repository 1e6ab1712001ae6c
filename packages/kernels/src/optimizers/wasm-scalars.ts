import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmContext } from '../wasm/context';
import { stepScalars, type AdamwAttributes, type StepScalars } from './step-values';

/** The step's values out of the heap. */
export function heapScalars(wasm: WasmContext, step: TensorInfo, attributes: AdamwAttributes): StepScalars {
  return stepScalars(wasm.backend.typedArrayFromHeap(step), attributes);
}
