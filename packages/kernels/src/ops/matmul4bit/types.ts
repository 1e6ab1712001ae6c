import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Packed4bitAttributes, Packed4bitInputs, Quantized4bit } from '../dequantize4bit/types';

/** The weight of a linear layer in 4 bits, [N, K] = [outFeatures, inFeatures] as bitsandbytes stores it. */
export interface Weight4bit extends Quantized4bit {
  readonly code: Tensor1D;
  readonly shape: readonly [N: number, K: number];
}

export interface Matmul4bitOptions {
  /** Added to every row of the product. */
  readonly bias?: Tensor1D;
  /** x·W instead of x·Wᵀ: the product the input gradient is made of. */
  readonly transposed?: boolean;
}

export interface Matmul4bitInputs extends Packed4bitInputs {
  x: Tensor;
  bias: Tensor | undefined;
}

export interface Matmul4bitAttributes extends Packed4bitAttributes {
  readonly shape: readonly [N: number, K: number];
  readonly transposed: boolean;
}

/** Columns of the product and length of its sums. */
export function productSizes({ shape: [N, K], transposed }: Matmul4bitAttributes): { columns: number; depth: number } {
  return transposed ? { columns: K, depth: N } : { columns: N, depth: K };
}
