import { gather, mul, pad, reshape, slice, type Tensor } from '@tensorflow/tfjs-core';
import { composeBytes } from '../tfjs/bytes';
import type { DequantizeBlockwiseAttributes, DequantizeBlockwiseInputs } from './types';

/** `dequantizeBlockwise` out of tfjs ops. */
export function composeDequantizeBlockwise(
  { quantized, absmax, code }: DequantizeBlockwiseInputs,
  { blocksize, shape }: DequantizeBlockwiseAttributes,
): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const levels = gather(code, composeBytes(quantized, size));
  return reshape(composeScaled(levels, absmax, blocksize), [...shape]);
}

/** Each block of `blocksize` levels times its absmax; the last block may be short. */
export function composeScaled(levels: Tensor, absmax: Tensor, blocksize: number): Tensor {
  const { size } = levels;
  const whole = absmax.size * blocksize;
  const padded = whole === size ? levels : pad(levels, [[0, whole - size]]);
  const scaled = reshape(mul(reshape(padded, [absmax.size, blocksize]), reshape(absmax, [absmax.size, 1])), [-1]);
  return whole === size ? scaled : slice(scaled, 0, size);
}

/** An 8-bit tensor in the host's memory. */
export interface BlockwiseViews {
  /** At least one byte a value. */
  readonly quantized: Uint8Array;
  readonly absmax: Float32Array;
  readonly code: Float32Array;
  readonly blocksize: number;
  readonly offset?: number;
}

/** Writes code[quantized]·absmax + offset to `out`, each step rounded to float32. */
export function dequantizeBlockwiseInto(
  out: Float32Array,
  { quantized, absmax, code, blocksize, offset }: BlockwiseViews,
): void {
  for (let block = 0; block * blocksize < out.length; block++) {
    const scale = absmax[block]!;
    const end = Math.min(out.length, (block + 1) * blocksize);
    for (let i = block * blocksize; i < end; i++) {
      const value = code[quantized[i]!]! * scale;
      out[i] = offset === undefined ? value : Math.fround(value) + offset;
    }
  }
}
