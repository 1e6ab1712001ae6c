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

/** The 16 bits of the float16 nearest to a value, ties to even; beyond the largest, the largest. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.min(Math.abs(value), LARGEST_HALF);
  if (Number.isNaN(size)) return sign | 0x7e00;
  // Below 2^-14 steps no longer shrink; log2 of a value right below a power of two may round up to it.
  let exponent = Math.max(-14, Math.floor(Math.log2(size)));
  if (exponent > -14 && 2 ** exponent > size) exponent--;
  const steps = size / 2 ** (exponent - 10);
  const below = Math.floor(steps);
  const rest = steps - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  // A carry out of the fraction lands in the exponent, where it belongs.
  return sign | (((exponent + 14) << 10) + rounded);
}
