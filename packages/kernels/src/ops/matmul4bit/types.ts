import type { Tensor1D } from '@tensorflow/tfjs-core';

/** What a product with a 4-bit weight takes besides. */
export interface Matmul4bitOptions {
  /** Added to every row of the product. */
  readonly bias?: Tensor1D;
  /** x·W instead of x·Wᵀ: the product the input gradient is made of. */
  readonly transposed?: boolean;
}
