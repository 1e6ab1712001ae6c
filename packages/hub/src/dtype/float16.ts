/** The 65,536 half-precision values as float32, made on first use (256 KiB). */
let decoded: Float32Array | undefined;

/**
 * IEEE 754 binary16 to float32, exact; NaN payloads keep their bits.
 *
 * @param result where the values go: as long as `halves`
 */
export function float16ToFloat32(
  halves: Uint16Array,
  result: Float32Array = new Float32Array(halves.length),
): Float32Array {
  const table = (decoded ??= decodeTable());
  // Through integer words: a float load may quieten a signalling NaN.
  const words = new Int32Array(result.buffer, result.byteOffset, result.length);
  const tableWords = new Int32Array(table.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const exponent = half & 0x7c00;
    // Normal numbers need the exponent's other bias alone; the table, 256 KiB, costs a look-up beyond the first cache.
    words[i] =
      exponent === 0 || exponent === 0x7c00
        ? tableWords[half]!
        : ((half & 0x8000) << 16) | (((half & 0x7fff) + 0x1c000) << 13);
  }
  return result;
}

function decodeTable(): Float32Array {
  const table = new Float32Array(65536);
  const words = new Uint32Array(table.buffer);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const fraction = half & 0x3ff;
    if (exponent === 0) table[half] = (sign === 0 ? 1 : -1) * fraction * 2 ** -24;
    else words[half] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return table;
}

/**
 * For the 9 bits of sign and exponent of a float32: what the rounded fraction is added to, and by how many places the
 * 24-bit significand is shifted. Below the smallest normal half the significand is shifted further, without an
 * exponent of its own, so that one formula serves normal and subnormal results.
 */
const base = new Uint16Array(512);
const shift = new Uint8Array(512);
for (let i = 0; i < 256; i++) {
  const exponent = i - 127;
  // The significand's leading 1 adds 1 to the exponent field, hence `exponent + 14` and not 15.
  if (exponent < -25) shift[i] = 31;
  else if (exponent < -14) shift[i] = -exponent - 1;
  else if (exponent < 16) [base[i], shift[i]] = [(exponent + 14) << 10, 13];
  else [base[i], shift[i]] = [0x7c00, 31];
  base[i + 256] = base[i]! | 0x8000;
  shift[i + 256] = shift[i]!;
}

/**
 * float32 to IEEE 754 binary16, rounded to the nearest, ties to even, as numpy and PyTorch do: 65,520 and above give
 * infinity, 2^-25 and below give zero. NaN stays NaN with its sign and the upper bits of its payload.
 */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const top = word >>> 23;
    if ((word & 0x7fffffff) > 0x7f800000) {
      result[i] = ((word >>> 16) & 0x8000) | 0x7e00 | ((word >>> 13) & 0x1ff);
      continue;
    }
    const places = shift[top]!;
    const significand = (word & 0x7fffff) | 0x800000;
    // Adding half of the last kept place, less one unless that place is odd, makes the shift round ties to even.
    const odd = (significand >>> places) & 1;
    const rounded = (significand + (1 << (places - 1)) - 1 + odd) >>> places;
    result[i] = base[top]! + (places === 31 ? 0 : rounded);
  }
  return result;
}

/** One binary16, by its bits, as a number. */
export function float16Value(bits: number): number {
  return (decoded ??= decodeTable())[bits]!;
}
