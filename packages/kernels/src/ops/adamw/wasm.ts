import { heapScalars } from '../../optimizers/wasm-scalars';
import { util } from '@tensorflow/tfjs-core';
import type { OpDefinition } from '../../engine/op';
import { forgetPackedCopies } from '../../tfjs/in-place';
import type { AdamwInputs } from './types';
import type { AdamwAttributes } from '../../optimizers/step-values';

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
