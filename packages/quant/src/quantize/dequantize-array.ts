import { sizeOf, type QuantizedArrays } from '../types';

/** The float32 absmax of each block. */
function absmaxOf({ absmax, offset, state2 }: QuantizedArrays): Float32Array {
  if (state2 === undefined) return absmax as Float32Array;
  const { absmax: scale, code, blocksize } = state2;
  // Each step rounded to float32: bitsandbytes functional.py dequantize_4bit.
  return Float32Array.from(
    absmax,
    (index, i) => Math.fround(code[index]! * scale[Math.floor(i / blocksize)]!) + offset!,
  );
}

/** The values that a 4-bit tensor stands for, float32, row-major. */
export function dequantizeArray(quantized: QuantizedArrays): Float32Array<ArrayBuffer> {
  const { packed, code, shape, blocksize } = quantized;
  const absmax = absmaxOf(quantized);
  const values = new Float32Array(sizeOf(shape));
  for (let block = 0; block < absmax.length; block++) {
    const scale = absmax[block]!;
    const end = Math.min(values.length, (block + 1) * blocksize);
    for (let i = block * blocksize; i < end; i += 2) {
      const byte = packed[i >> 1]!;
      values[i] = code[byte >> 4]! * scale;
      if (i + 1 < end) values[i + 1] = code[byte & 15]! * scale;
    }
  }
  return values;
}
