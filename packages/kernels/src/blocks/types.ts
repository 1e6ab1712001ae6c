import type { Tensor } from '@tensorflow/tfjs-core';
import type { Nearest } from '../formats/nearest';

/** How a tensor is quantised to 8 bits in blocks. */
export interface QuantizeBlockwiseAttributes {
  readonly code: Float32Array;
  readonly blocksize: number;
  readonly nearest: Nearest;
}

/** A tensor in 8 bits, as inputs of an op. */
export interface DequantizeBlockwiseInputs extends Record<string, Tensor | undefined> {
  quantized: Tensor;
  absmax: Tensor;
  code: Tensor;
}

/** How it comes back. */
export interface DequantizeBlockwiseAttributes {
  readonly blocksize: number;
  readonly shape: readonly number[];
}
