/** The float32 value of 16 bits of a float16 (IEEE 754 binary16). */
export function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** Largest finite float16. */
export const LARGEST_HALF = 65504;

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);
/** Bits of float32: 0.5, 2^-14, and the lowest that would round to more than the largest float16. */
const HALF = 0x3f000000;
const SMALLEST_NORMAL = 0x38800000;
const TOO_LARGE = 0x477ff000;
const INFINITY = 0x7f800000;

/** The 16 bits of the float16 nearest to a float32 value, ties to even; beyond the largest, the largest. */
export function halfBits(value: number): number {
  single[0] = value;
  const bits = singleBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > INFINITY) return sign | 0x7e00;
  if (size >= TOO_LARGE) return sign | 0x7bff;
  if (size < SMALLEST_NORMAL) {
    // From 0.5 to 1 float32 has the steps of float16's subnormals, so that this addition rounds to them.
    single[0] = Math.abs(value) + 0.5;
    return sign | (singleBits[0]! - HALF);
  }
  // The exponents' biases differ by 112; a carry out of the fraction lands in the exponent, where it belongs.
  const rebiased = size - (112 << 23);
  return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
}

/** The values of all 65,536 patterns, made on first use. */
let decoded: Float32Array | undefined;

/** The first `size` float16 of words that hold two each, the first in the low half. */
export function unpackHalves(words: ArrayLike<number>, size: number): Float32Array {
  const table = (decoded ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfValue(bits)));
  const unpacked = new Float32Array(size);
  for (let i = 0; i < size; i++) unpacked[i] = table[(words[i >> 1]! >>> (16 * (i & 1))) & 0xffff]!;
  return unpacked;
}
