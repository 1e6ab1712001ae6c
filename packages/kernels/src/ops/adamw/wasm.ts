import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { OpDefinition, WasmContext } from '../../engine/op';
import { forgetPackedCopies } from './in-place';
import { stepScalars, type StepScalars } from './scalars';
import type { AdamwAttributes, AdamwInputs } from './types';

/** The step's values out of the heap. */
export function heapScalars(wasm: WasmContext, step: TensorInfo, attributes: AdamwAttributes): StepScalars {
  return stepScalars(wasm.backend.typedArrayFromHeap(step), attributes);
}

/** In place. */
export const wasmAdamw: NonNullable<OpDefinition<AdamwInputs, AdamwAttributes>['wasm']> = (
  { parameter, gradient, m, v, step },
  attributes,
  wasm,
) => {
  const { learningRate, correction1, rootCorrection2, gradientScale, apply } = heapScalars(wasm, step, attributes);
  if (!apply) return [];
  wasm.kernels.adamw32(
    wasm.pointer(parameter),
    wasm.pointer(gradient),
    wasm.pointer(m),
    wasm.pointer(v),
    util.sizeFromShape(parameter.shape),
    learningRate,
    attributes.beta1,
    attributes.beta2,
    attributes.epsilon,
    attributes.weightDecay,
    correction1,
    rootCorrection2 ** 2,
    gradientScale,
  );
  forgetPackedCopies(wasm.backend, parameter);
  return [];
};
