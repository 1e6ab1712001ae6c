import type { QuantType } from '@qlora-js/kernels';

/** Element type a weight had before it was quantised; what bitsandbytes dequantises it to. */
export type WeightDtype = 'float32' | 'float16' | 'bfloat16';

export const WEIGHT_DTYPES: readonly WeightDtype[] = ['float32', 'float16', 'bfloat16'];

export interface QuantizeOptions {
  /** 'nf4' by default. */
  readonly quantType?: QuantType;
  /** Values that share an absmax: 32, 64 (the default), 128, ... 4096. */
  readonly blocksize?: number;
  /** Keeps absmax in 8 bits: bitsandbytes' compress_statistics, QLoRA's double quantisation. True by default. */
  readonly doubleQuant?: boolean;
  /** Label of the values' original type; 'float32' by default. The values themselves come as float32. */
  readonly dtype?: WeightDtype;
  /** What errors call the tensor. */
  readonly name?: string;
}

/** A tensor in 4 bits in the host's memory, by the fields of bitsandbytes' QuantState: what files hold. */
export interface QuantizedArrays {
  /** Two codes a byte, the even element in the high nibble, [ceil(size / 2)]. */
  readonly packed: Uint8Array;
  /** One a block: float32, or with `state2` its 8-bit code. */
  readonly absmax: Float32Array | Uint8Array;
  /** What the 16 codes stand for. */
  readonly code: Float32Array;
  readonly shape: readonly number[];
  readonly blocksize: number;
  readonly quantType: QuantType;
  readonly dtype: WeightDtype;
  /** Mean of absmax; with double quantisation. */
  readonly offset?: number;
  /** How an 8-bit absmax comes back: code[absmax] · absmax of this + offset. */
  readonly state2?: {
    /** One per `blocksize` blocks. */
    readonly absmax: Float32Array;
    /** [256] */
    readonly code: Float32Array;
    /** Blocks that share an absmax; 256 in bitsandbytes. */
    readonly blocksize: number;
  };
}

/**
 * A tensor as files hold it: contiguous, row-major, little-endian bytes. @qlora-js/hub's StoredTensor is one; the
 * dtype is named as in safetensors ('U8', 'F32').
 */
export interface StoredTensorLike {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
