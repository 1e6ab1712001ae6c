/**
 * Bits an element, in the order of `enum Dtype` in safetensors/src/tensor.rs (0.8.0). The order matters: the library
 * lays tensors out by descending position in it, so that alignment falls from 8 bytes to 1 along the file.
 */
const bits = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** Element type by the name that safetensors headers use. */
export type SafetensorsDtype = keyof typeof bits;

const dtypes = Object.keys(bits) as SafetensorsDtype[];
const rank = new Map<string, number>(dtypes.map((dtype, index) => [dtype, index]));

export function isSafetensorsDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && rank.has(value);
}

/** Bits of one element. */
export function dtypeBits(dtype: SafetensorsDtype): number {
  return bits[dtype];
}

/** Place of the dtype in the Rust library's enum; tensors are stored by descending rank. */
export function dtypeRank(dtype: SafetensorsDtype): number {
  return rank.get(dtype)!;
}

/** Number of elements of a shape, or undefined where it isn't whole numbers from 0 up or passes 2^53. */
export function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    // Not an early exit for 0: the Rust library multiplies on and refuses an overflow before a later 0 too.
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** Bytes that a tensor takes, or undefined where shape and dtype don't make whole bytes below 2^53. */
export function tensorByteLength(dtype: SafetensorsDtype, shape: readonly unknown[]): number | undefined {
  const count = elementCount(shape);
  if (count === undefined) return undefined;
  const total = count * bits[dtype];
  return Number.isSafeInteger(total) && total % 8 === 0 ? total / 8 : undefined;
}
