import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { QuantType } from '../../formats/codes';

export interface Quantize4bitOptions {
  readonly quantType?: QuantType;
  /** Values that share an absmax: one of `BLOCKSIZES`, 64 by default. */
  readonly blocksize?: number;
}

/** A tensor quantised to 4 bits in blocks of its flattened values. */
export interface Packed4bit {
  /**
   * Two codes a byte, the even element in the high nibble, an odd end padded with the code of zero: bitsandbytes'
   * bytes. Bytes in int32, [ceil(ceil(size / 2) / 4)].
   */
  readonly packed: Tensor1D;
  /** float32 [ceil(size / blocksize)]. */
  readonly absmax: Tensor1D;
}

export interface Quantize4bitInputs extends Record<string, Tensor | undefined> {
  x: Tensor;
}

export interface Quantize4bitAttributes {
  readonly quantType: QuantType;
  readonly blocksize: number;
}
