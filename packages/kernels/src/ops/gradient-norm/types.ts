import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';

/** Tensors by their place in the list: '0', '1', ... */
export type SumOfSquaresInputs = Record<string, Tensor>;

export interface ClipControlInputs extends Record<string, Tensor | undefined> {
  sumSquares: Tensor;
  lossScale: Tensor | undefined;
}

export interface ClipControlAttributes {
  readonly maxNorm: number;
}

/** What the step takes from a norm. */
export interface ClipControlOutputs {
  /** [1] */
  norm: Tensor1D;
  /** [2] */
  control: Tensor1D;
}

/** What torch.nn.utils.clip_grad_norm_ adds to the norm it divides by. */
export const NORM_EPSILON = 1e-6;
