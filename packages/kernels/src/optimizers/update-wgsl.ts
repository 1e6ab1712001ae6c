import { f32 } from '../webgpu/uniforms';
import { STEP, type AdamwAttributes } from './step-values';

/** Fields of a uniform struct with AdamW's constants, and their words. */
export const ADAMW_UNIFORMS =
  'beta1: f32, weight1: f32, beta2: f32, weight2: f32, epsilon: f32, weightDecay: f32, learningRateScale: f32';

/** The words of those fields. */
export function adamwWords(attributes: AdamwAttributes): number[] {
  const { beta1, beta2, epsilon, weightDecay, learningRateScale = 1 } = attributes;
  return [beta1, 1 - beta1, beta2, 1 - beta2, epsilon, weightDecay, learningRateScale].map(f32);
}

/** WGSL: the factors of the update; needs `step: array<f32>` and a struct of that name with ADAMW_UNIFORMS. */
export const adamwFactors = (constants: string): string => /* wgsl */ `
  let learningRate = step[${STEP.learningRate}] * ${constants}.learningRateScale;
  let decay = 1.0 - learningRate * ${constants}.weightDecay;
  let stepSize = learningRate / step[${STEP.correction1}];
  let rootCorrection2 = step[${STEP.rootCorrection2}];
  let gradientScale = step[${STEP.gradientScale}];
`;
