import type { Tensor, Variable } from '@tensorflow/tfjs-core';

/** First and second moment of one parameter, its shape, float32. */
export interface AdamwState {
  readonly m: Variable;
  readonly v: Variable;
}

export interface AdamwInputs extends Record<string, Tensor | undefined> {
  parameter: Tensor;
  gradient: Tensor;
  m: Tensor;
  v: Tensor;
  step: Tensor;
}

/** New values of what is updated; nothing where that was done in place. */
export type AdamwOutputs = Partial<Record<'parameter' | 'm' | 'v', Tensor>>;

export interface StepValuesAttributes {
  readonly beta1: number;
  readonly beta2: number;
}

export interface StepValuesInputs extends Record<string, Tensor | undefined> {
  learningRate: Tensor;
  counter: Tensor;
  control: Tensor | undefined;
}

export interface StepValuesOutputs {
  values: Tensor;
  /** The new count, where it was not raised in place. */
  counter?: Tensor;
}
