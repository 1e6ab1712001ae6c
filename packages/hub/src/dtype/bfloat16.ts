/**
 * bfloat16 to float32, exact: a bfloat16 is the upper half of a float32.
 *
 * @param result where the values go: as long as `halves`
 */
export function bfloat16ToFloat32(
  halves: Uint16Array,
  result: Float32Array = new Float32Array(halves.length),
): Float32Array {
  const words = new Uint32Array(result.buffer, result.byteOffset, result.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return result;
}

/** float32 to bfloat16, rounded to the nearest, ties to even; NaN becomes 0x7fc0, as PyTorch's round_to_nearest_even. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if ((word & 0x7fffffff) > 0x7f800000) result[i] = 0x7fc0;
    else result[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return result;
}
