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

export interface GemmAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
}

/** Rows and columns of the product and the length of its sums. */
export interface GemmSizes {
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

export function gemmSizes(
  a: readonly number[],
  b: readonly number[],
  { transposeA, transposeB }: GemmAttributes,
): GemmSizes {
  const [rowsA = 0, columnsA = 0] = a;
  const [rowsB = 0, columnsB = 0] = b;
  return {
    M: transposeA ? columnsA : rowsA,
    N: transposeB ? rowsB : columnsB,
    K: transposeA ? rowsA : columnsA,
  };
}
