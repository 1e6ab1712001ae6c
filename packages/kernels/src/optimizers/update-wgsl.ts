import type { UniformValues } from '../webgpu/layout';
import { STEP, type AdamwAttributes } from './step-values';

/** Uniforms with AdamW's constants. */
export const ADAMW_UNIFORMS = {
  beta1: 'f32',
  weight1: 'f32',
  beta2: 'f32',
  weight2: 'f32',
  epsilon: 'f32',
  weightDecay: 'f32',
  learningRateScale: 'f32',
} as const;

/** The values of those uniforms. */
export function adamwUniforms(attributes: AdamwAttributes): UniformValues<typeof ADAMW_UNIFORMS> {
  const { beta1, beta2, epsilon, weightDecay, learningRateScale = 1 } = attributes;
  return { beta1, weight1: 1 - beta1, beta2, weight2: 1 - beta2, epsilon, weightDecay, learningRateScale };
}

/** WGSL: the factors of the update; needs `step: array<f32>` and a struct of that name with ADAMW_UNIFORMS. */
export const adamwFactors = (constants: string): string => /* wgsl */ `
  let learningRate = step[${STEP.learningRate}] * ${constants}.learningRateScale;
  let decay = 1.0 - learningRate * ${constants}.weightDecay;
  let stepSize = learningRate / step[${STEP.correction1}];
  let rootCorrection2 = step[${STEP.rootCorrection2}];
  let gradientScale = step[${STEP.gradientScale}];
`;
