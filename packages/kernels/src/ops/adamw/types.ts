import type { Tensor, Tensor1D, Variable } from '@tensorflow/tfjs-core';

/** First and second moment of one parameter, its shape, float32. */
export interface AdamwState {
  readonly m: Variable;
  readonly v: Variable;
}

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

export interface AdamwInputs extends Record<string, Tensor | undefined> {
  parameter: Tensor;
  gradient: Tensor;
  m: Tensor;
  v: Tensor;
  step: Tensor;
}

export interface StepValuesAttributes {
  readonly beta1: number;
  readonly beta2: number;
}

export interface StepValuesInputs extends Record<string, Tensor | undefined> {
  learningRate: Tensor;
  counter: Tensor;
  control: Tensor | undefined;
}
