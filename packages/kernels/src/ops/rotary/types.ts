import type { Tensor } from '@tensorflow/tfjs-core';

export interface RotaryHeads {
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values; `heads` is a multiple of it. */
  readonly keyValueHeads: number;
}

export interface RotaryInputs extends Record<string, Tensor | undefined> {
  q: Tensor;
  k: Tensor;
  v: Tensor;
  positions: Tensor;
  table: Tensor;
}

export interface RotaryGradients {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

export interface RotaryBackwardInputs extends Record<string, Tensor | undefined> {
  dy: Tensor;
  positions: Tensor;
  table: Tensor;
}
