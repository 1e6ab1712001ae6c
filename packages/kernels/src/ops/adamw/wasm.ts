import { heapScalars } from '../../optimizers/wasm-scalars';
import { util } from '@tensorflow/tfjs-core';
import type { WasmKernel } from '../../engine/op';
import { forgetPackedCopies } from '../../tfjs/in-place';
import type { AdamwInputs, AdamwOutputs } from './types';
import type { AdamwAttributes } from '../../optimizers/step-values';

/** In place. */
export const wasmAdamw: WasmKernel<AdamwInputs, AdamwAttributes, AdamwOutputs> = (
  { parameter, gradient, m, v, step },
  attributes,
  wasm,
) => {
  const { learningRate, correction1, rootCorrection2, gradientScale, apply } = heapScalars(wasm, step, attributes);
  if (!apply) return {};
  wasm.call.adamw32({
    p: wasm.pointer(parameter),
    g: wasm.pointer(gradient),
    m: wasm.pointer(m),
    v: wasm.pointer(v),
    n: util.sizeFromShape(parameter.shape),
    lr: learningRate,
    b1: attributes.beta1,
    b2: attributes.beta2,
    eps: attributes.epsilon,
    wd: attributes.weightDecay,
    bc1: correction1,
    bc2: rootCorrection2 ** 2,
    gradScale: gradientScale,
  });
  forgetPackedCopies(wasm.backend, parameter);
  return {};
};
