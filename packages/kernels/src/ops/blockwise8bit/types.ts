import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Nearest } from '../../formats/nearest';

export interface BlockwiseOptions {
  /** The 256 levels, ascending: `createDynamicMap`. */
  readonly code: Float32Array;
  /** Values that share an absmax; 256 by default, bitsandbytes' for optimiser states and nested absmax. */
  readonly blocksize?: number;
  /** 'exact' by default. */
  readonly nearest?: Nearest;
}

/** A tensor quantised to 8 bits in blocks of its flattened values. */
export interface Blockwise8bit {
  /** Bytes in int32, [ceil(size / 4)]. */
  readonly quantized: Tensor1D;
  /** float32 [ceil(size / blocksize)]. */
  readonly absmax: Tensor1D;
}

export interface DequantizeBlockwiseArguments extends Blockwise8bit {
  /** float32 [256]. */
  readonly code: Tensor1D;
  readonly blocksize: number;
  readonly shape: readonly number[];
}

export interface QuantizeBlockwiseInputs extends Record<string, Tensor | undefined> {
  x: Tensor;
}
