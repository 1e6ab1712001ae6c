import type { Tensor } from '@tensorflow/tfjs-core';
import type { Packed4bitAttributes, Packed4bitInputs } from '../four-bit/types';

/** Which way a dense product's factors lie, and its scale. */
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

/** Inputs of a product with a 4-bit weight. */
export interface Matmul4bitInputs extends Packed4bitInputs {
  x: Tensor;
  bias: Tensor | undefined;
}

/** What a product with a 4-bit weight is told. */
export interface Matmul4bitAttributes extends Packed4bitAttributes {
  readonly shape: readonly [N: number, K: number];
  readonly transposed: boolean;
}

/** Columns of the product and length of its sums. */
export function productSizes({ shape: [N, K], transposed }: Matmul4bitAttributes): { columns: number; depth: number } {
  return transposed ? { columns: K, depth: N } : { columns: N, depth: K };
}
