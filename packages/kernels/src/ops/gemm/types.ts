import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';

export interface GemmOptions {
  /** Takes a as [K, M]. */
  readonly transposeA?: boolean;
  /** Takes b as [N, K]. */
  readonly transposeB?: boolean;
  /** Scales the product, not the bias; 1 by default. */
  readonly alpha?: number;
  /** [N], added to every row. */
  readonly bias?: Tensor1D;
}

export interface GemmInputs extends Record<string, Tensor | undefined> {
  a: Tensor;
  b: Tensor;
  bias: Tensor | undefined;
}
