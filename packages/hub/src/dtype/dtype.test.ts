import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../error';
import { type StoredTensor } from '../tensor';
import { bfloat16ToFloat32, float32ToBfloat16 } from './bfloat16';
import { type SafetensorsDtype } from './dtypes';
import { float16ToFloat32, float32ToFloat16 } from './float16';
import { toFloat32 } from './to-float32';

const words = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);
const floats = (bits: Uint32Array): Float32Array => new Float32Array(bits.buffer);
const all16 = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The half-precision value that the bits say, from the definition in IEEE 754. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Nearest 16-bit float by search over the sorted values; ties to the even code, overflow past half a step. */
function nearest(value: number, decode: (bits: number) => number, infinity: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  let low = 0;
  let high = infinity;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (decode(middle) <= size) low = middle;
    else high = middle;
  }
  const below = decode(low);
  // Infinity stands for the value that one more step would have.
  const above = high === infinity ? 2 * below - decode(low - 1) : decode(high);
  const pick = size - below < above - size || (size - below === above - size && low % 2 === 0) ? low : high;
  return sign | pick;
}

describe('float16', () => {
  it('decodes all 65,536 values', () => {
    const decoded = float16ToFloat32(all16);
    expect([...decoded]).toEqual([...all16].map(half));
    expect(Object.is(decoded[0x8000], -0)).toBe(true);
  });

  it('encodes what it decoded, all of it but the payload of signalling NaNs', () => {
    const back = float32ToFloat16(float16ToFloat32(all16));
    const quiet = [...all16].map((bits) => ((bits & 0x7fff) > 0x7c00 ? bits | 0x200 : bits));
    expect([...back]).toEqual(quiet);
  });

  it('rounds ties to even at every boundary between two values', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (half(bits) + half(bits + 1)) / 2;
      const around = floats(Uint32Array.of(0, 0, 0));
      around[1] = middle;
      words(around)[0] = words(around)[1]! - 1;
      words(around)[2] = words(around)[1]! + 1;
      const even = bits % 2 === 0 ? bits : bits + 1;
      expect([...float32ToFloat16(around)]).toEqual([bits, even, bits + 1]);
    }
  });

  it.each([
    [65504, 0x7bff],
    [65519.99609375, 0x7bff],
    [65520, 0x7c00],
    [1e38, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -25, 0],
    [-(2 ** -25), 0x8000],
    [2 ** -25 * (1 + 2 ** -23), 1],
    [2 ** -26, 0],
    [1e-45, 0],
    [-0, 0x8000],
    [NaN, 0x7e00],
  ])('encodes %d as numpy does', (value, bits) => {
    expect(float32ToFloat16(Float32Array.of(value))[0]).toBe(bits);
  });

  it('finds the nearest value for any float32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -70000, max: 70000 }), (value) => {
        expect(float32ToFloat16(Float32Array.of(value))[0]).toBe(nearest(value, half, 0x7c00));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bfloat16', () => {
  it('round trips all values', () => {
    const back = float32ToBfloat16(bfloat16ToFloat32(all16));
    expect([...back]).toEqual([...all16].map((bits) => ((bits & 0x7fff) > 0x7f80 ? 0x7fc0 : bits)));
  });

  it('finds the nearest value for any float32', () => {
    const decode = (bits: number): number => bfloat16ToFloat32(Uint16Array.of(bits))[0]!;
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(float32ToBfloat16(Float32Array.of(value))[0]).toBe(nearest(value, decode, 0x7f80));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [3.4028234663852886e38, 0x7f80],
    [-Infinity, 0xff80],
  ])('encodes %d', (value, bits) => {
    expect(float32ToBfloat16(Float32Array.of(value))[0]).toBe(bits);
  });
});

describe('toFloat32', () => {
  const tensor = (dtype: SafetensorsDtype, bytes: Uint8Array): StoredTensor => ({
    name: 't',
    dtype,
    shape: [2],
    bytes,
  });

  it.each<[SafetensorsDtype, ArrayBufferView]>([
    ['F64', Float64Array.of(1.5, -2 - 2 ** -40)],
    ['F32', Float32Array.of(1.5, -2)],
    ['F16', float32ToFloat16(Float32Array.of(1.5, -2))],
    ['BF16', float32ToBfloat16(Float32Array.of(1.5, -2))],
  ])('reads %s at any alignment', (dtype, values) => {
    const shifted = new Uint8Array(values.byteLength + 1);
    shifted.set(new Uint8Array(values.buffer), 1);
    expect([...toFloat32(tensor(dtype, shifted.subarray(1)))]).toEqual([1.5, -2]);
    expect([...toFloat32(tensor(dtype, Buffer.from(shifted.buffer, 1)))]).toEqual([1.5, -2]);
    expect([...toFloat32(tensor(dtype, new Uint8Array(values.buffer)))]).toEqual([1.5, -2]);
  });

  it('refuses integers', () => {
    expect(() => toFloat32(tensor('I64', new Uint8Array(16)))).toThrow(HubError);
    expect(() => toFloat32(tensor('I64', new Uint8Array(16)))).toThrow(/"t" is I64/);
  });
});
