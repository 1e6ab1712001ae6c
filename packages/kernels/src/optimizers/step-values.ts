import type { Tensor1D } from '@tensorflow/tfjs-core';

/** AdamW's constants for one parameter. */
export interface AdamwAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** What the step's learning rate is multiplied by; default 1. */
  readonly learningRateScale?: number;
}

/**
 * What changes from step to step, on the device, made by `stepValues`. float32 [6]: learning rate, 1 - beta1^t,
 * sqrt(1 - beta2^t), t, what gradients are multiplied by, and 0 for a step to be left out.
 */
export type StepValues = Tensor1D;

/** Places in `StepValues`. */
export const STEP = { learningRate: 0, correction1: 1, rootCorrection2: 2, t: 3, gradientScale: 4, apply: 5 } as const;

/** Elements of `StepValues`. */
export const STEP_SIZE = 6;

/** A step's values on the host, as factors of the update. */
export interface StepScalars {
  readonly learningRate: number;
  readonly correction1: number;
  readonly rootCorrection2: number;
  readonly gradientScale: number;
  /** Whether the step happens at all. */
  readonly apply: boolean;
}

/** Reads `StepValues` off the host's memory. */
export function stepScalars(
  step: ArrayLike<number>,
  { learningRateScale = 1 }: Pick<AdamwAttributes, 'learningRateScale'>,
): StepScalars {
  return {
    learningRate: step[STEP.learningRate]! * learningRateScale,
    correction1: step[STEP.correction1]!,
    rootCorrection2: step[STEP.rootCorrection2]!,
    gradientScale: step[STEP.gradientScale]!,
    apply: step[STEP.apply]! !== 0,
  };
}
