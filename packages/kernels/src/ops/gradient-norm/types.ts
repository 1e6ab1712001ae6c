import type { Tensor } from '@tensorflow/tfjs-core';

/** Tensors by their place in the list: '0', '1', ... */
export type SumOfSquaresInputs = Record<string, Tensor | undefined>;

export interface ClipControlInputs extends Record<string, Tensor | undefined> {
  sumSquares: Tensor;
  lossScale: Tensor | undefined;
}

export interface ClipControlAttributes {
  readonly maxNorm: number;
}
