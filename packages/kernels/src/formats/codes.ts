/** The 4-bit types: NormalFloat and FP4 as bitsandbytes has them, INT4 symmetric (ours). */
export type QuantType = 'nf4' | 'fp4' | 'int4';

export const QUANT_TYPES: readonly QuantType[] = ['nf4', 'fp4', 'int4'];

/** NF4 by code: quantiles of the normal distribution (QLoRA, appendix E; bitsandbytes functional.py get_4bit_type). */
const NF4 = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** FP4 by code, a sign bit, two exponent bits and one of mantissa: bitsandbytes functional.py get_4bit_type. */
const FP4 = Float32Array.of(0, 0.0625, 8, 12, 4, 6, 2, 3, 0, -0.0625, -8, -12, -4, -6, -2, -3).map(
  (level) => level / 12,
);

/**
 * INT4 by code: code c stands for (c - 7) / 7, so that zero is code 7 as in NF4. Symmetric: code 15 repeats 1 and is
 * never written.
 */
const INT4 = Float32Array.from({ length: 16 }, (_, code) => Math.min(code - 7, 7) / 7);

const CODES: Readonly<Record<QuantType, Float32Array>> = { nf4: NF4, fp4: FP4, int4: INT4 };

/** What each of the 16 codes stands for, in [-1, 1]: a copy, float32 [16]. */
export function codeTable(quantType: QuantType): Float32Array {
  return CODES[quantType].slice();
}

/** How a scaled value in [-1, 1] becomes a code: `order[number of bounds strictly below the value]`. */
export interface CodeBounds {
  /** Midpoints of neighbouring levels, ascending, float32 [levels - 1]. */
  readonly bounds: Float32Array;
  /** Code of each level, ascending by value [levels]. */
  readonly order: Uint8Array;
}

/** Bounds between the levels of a code table: bitsandbytes backends/default/ops.py `_get_4bit_quantize_bounds`. */
export function codeBounds(code: ArrayLike<number>): CodeBounds {
  const order = Uint8Array.from(Array.from(code, (_, index) => index).sort((a, b) => code[a]! - code[b]! || a - b));
  const bounds = new Float32Array(Math.max(0, code.length - 1));
  for (let i = 0; i < bounds.length; i++) {
    bounds[i] = Math.fround(code[order[i]!]! + code[order[i + 1]!]!) / 2;
  }
  return { bounds, order };
}

const BOUNDS: Readonly<Record<QuantType, CodeBounds>> = {
  nf4: codeBounds(NF4),
  fp4: codeBounds(FP4),
  int4: codeBounds(INT4),
};

/** The bounds of a 4-bit type. */
export function quantTypeBounds(quantType: QuantType): CodeBounds {
  return BOUNDS[quantType];
}
