import { quantTypeBounds, type QuantType } from '../../formats/codes';

export interface Quantize4bitReference {
  /** A code an element. */
  readonly codes: Uint8Array;
  /** Two codes a byte. */
  readonly packed: Uint8Array;
  readonly absmax: Float32Array;
}

/**
 * 4-bit quantisation one value at a time: bitsandbytes backends/default/ops.py, "bitsandbytes::quantize_4bit". The
 * float32 roundings are part of the format. A whole block multiplies by the reciprocal of its absmax, a short last
 * one divides by its absmax and keeps the clamped one.
 */
export function quantize4bitReference(
  x: ArrayLike<number>,
  quantType: QuantType,
  blocksize: number,
): Quantize4bitReference {
  const { fround } = Math;
  const { bounds, order } = quantTypeBounds(quantType);
  const codes = new Uint8Array(x.length);
  const absmax = new Float32Array(Math.ceil(x.length / blocksize));
  for (let block = 0; block < absmax.length; block++) {
    const indices = Array.from(
      { length: Math.min(blocksize, x.length - block * blocksize) },
      (_, i) => block * blocksize + i,
    );
    const largest = Math.max(...indices.map((i) => Math.abs(x[i]!)));
    const clamped = Math.max(largest, fround(1e-38));
    const whole = indices.length === blocksize;
    absmax[block] = whole ? largest : clamped;
    for (const i of indices) {
      const scaled = fround(whole ? x[i]! * fround(1 / clamped) : x[i]! / clamped);
      const inside = Math.min(1, Math.max(-1, scaled));
      codes[i] = order[bounds.filter((bound) => bound < inside).length]!;
    }
  }
  const zero = order[bounds.filter((bound) => bound < 0).length]!;
  const packed = Uint8Array.from(
    { length: Math.ceil(x.length / 2) },
    (_, i) => (codes[2 * i]! << 4) | (codes[2 * i + 1] ?? zero),
  );
  return { codes, packed, absmax };
}
