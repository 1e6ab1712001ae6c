import type { Tensor } from '@tensorflow/tfjs-core';

export interface CrossEntropyOptions {
  /** `mean` (default) divides by the number of rows that are not ignored, as torch does. */
  readonly reduction?: 'mean' | 'sum';
  /** Rows with this label count for nothing; default -100, torch's. */
  readonly ignoreIndex?: number;
}

export type CrossEntropyAttributes = Required<CrossEntropyOptions>;

export interface CrossEntropyInputs extends Record<string, Tensor | undefined> {
  logits: Tensor;
  labels: Tensor;
}

export interface CrossEntropyOutputs {
  /** [] */
  loss: Tensor;
  /** [B, K] */
  probabilities: Tensor;
}

export interface CrossEntropyBackwardInputs extends Record<string, Tensor | undefined> {
  dy: Tensor;
  probabilities: Tensor;
  labels: Tensor;
}
