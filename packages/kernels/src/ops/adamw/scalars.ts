import { STEP, type AdamwAttributes } from './types';

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
