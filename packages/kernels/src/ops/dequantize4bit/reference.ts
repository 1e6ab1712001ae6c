/** code[nibble]·absmax in float64, two codes a byte, the even element in the high nibble. */
export function dequantize4bitReference(
  packed: ArrayLike<number>,
  absmax: ArrayLike<number>,
  code: ArrayLike<number>,
  blocksize: number,
  size: number,
): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => {
    const byte = packed[i >> 1]!;
    const nibble = i % 2 === 0 ? byte >> 4 : byte & 15;
    return code[nibble]! * absmax[Math.floor(i / blocksize)]!;
  });
}

/** Absmax out of its 8-bit form, each step rounded to float32 as bitsandbytes does (functional.py dequantize_4bit). */
export function denestReference(
  codes: ArrayLike<number>,
  nestedAbsmax: ArrayLike<number>,
  nestedCode: ArrayLike<number>,
  offset: number,
  nestedBlocksize = 256,
): Float32Array {
  return Float32Array.from(
    codes,
    (index, i) => Math.fround(nestedCode[index]! * nestedAbsmax[Math.floor(i / nestedBlocksize)]!) + offset,
  );
}
