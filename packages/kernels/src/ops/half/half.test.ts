import { tensor, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { describeBackends, normals, runPoisoned } from '../../testing';
import { halfBits, halfValue } from '../../formats/half';
import { halfReference } from './reference';
import { packHalf, unpackHalf } from '.';

/** Every finite float16, and the values halfway to the next one and right beside that. */
const bits = Array.from({ length: 0x7c00 }, (_, i) => i).flatMap((i) => [i, i | 0x8000]);

describe('halfValue', () => {
  it('reads signs, subnormals, the largest, infinity and NaN', () => {
    const patterns = [0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x7c00, 0xfc00, 0x3555];
    const values = [1, -2, 2 ** -24, 1023 * 2 ** -24, 65504, Infinity, -Infinity, 0.333251953125];
    expect(patterns.map(halfValue)).toEqual(values);
    expect(halfValue(0x7e00)).toBeNaN();
  });
});

describe('halfBits', () => {
  it('gives back every finite float16', () => {
    for (const one of bits) expect(halfBits(halfValue(one))).toBe(one);
  });

  it('rounds to the nearest, ties to even, and stops at the largest', () => {
    for (let one = 0; one < 0x7bff; one++) {
      const [low, high] = [halfValue(one), halfValue(one + 1)];
      const middle = (low + high) / 2;
      expect(halfBits(middle)).toBe(one % 2 === 0 ? one : one + 1);
      expect(halfBits(middle - (high - low) / 64)).toBe(one);
      expect(halfBits(middle + (high - low) / 64)).toBe(one + 1);
    }
    const between = Array.from({ length: 0x7bff }, (_, one) => (halfValue(one) + halfValue(one + 1)) / 2);
    const values = between.flatMap((middle, one) => [
      halfValue(one),
      middle,
      -middle,
      (3 * middle + halfValue(one)) / 4,
    ]);
    expect(values.filter((value) => halfReference(value) !== halfValue(halfBits(value)))).toEqual([]);
    expect(halfBits(65519)).toBe(0x7bff);
    expect(halfBits(-1e30)).toBe(0xfbff);
    expect(halfBits(NaN)).toBe(0x7e00);
  });
});

describeBackends('packHalf and unpackHalf', (backend) => {
  it('give every float16 back', async () => {
    for (const all of [bits, bits.slice(0, 1023), bits.slice(1000, 1001)]) {
      const values = Float32Array.from(all, halfValue);
      const x = tensor1d(values);
      const [back] = await runPoisoned(backend, () => [unpackHalf(packHalf(x), [all.length])]);
      const halves = packHalf(x);
      const words = await halves.data();
      expect(words).toHaveLength(Math.ceil(all.length / 2));
      const packed = Array.from(all, (_, i) => (words[i >> 1]! >>> (16 * (i & 1))) & 0xffff);
      // Of zero, WGSL lets the sign go.
      const plain = (one: number): number => (one === 0x8000 ? 0 : one);
      const differing = all.findIndex((one, i) => plain(packed[i]!) !== plain(one));
      expect(differing, `position of ${all[differing]}, which came out as ${packed[differing]}`).toBe(-1);
      expect(back!.findIndex((value, i) => value !== values[i])).toBe(-1);
      for (const held of [x, halves]) held.dispose();
    }
  });

  it.each([
    [5, 7],
    [16, 24],
  ])('round %i x %i values to the nearest', async (rows, columns) => {
    const values = normals(1, rows * columns, 30).map((value, i) => (i % 3 === 0 ? value * 2 ** -16 : value));
    const x = tensor2d(values, [rows, columns]);
    const halves = packHalf(x);
    const back = unpackHalf(halves, [rows, columns]);
    expect(back.shape).toEqual([rows, columns]);
    expect([...(await back.data())]).toEqual(Array.from(values, halfReference));
    for (const held of [x, halves, back]) held.dispose();
  });

  it('hold the largest in place of what float16 has not', async () => {
    const x = tensor1d([1e6, -7e4, 65504]);
    const halves = packHalf(x);
    const back = unpackHalf(halves, [3]);
    expect([...(await back.data())]).toEqual([65504, -65504, 65504]);
    for (const held of [x, halves, back]) held.dispose();
  });

  it('refuse other dtypes and sizes', () => {
    const [ints, words] = [tensor([1, 2], [2], 'int32'), tensor1d([1, 2], 'int32')];
    expect(() => packHalf(ints)).toThrow(/packHalf: x/);
    expect(() => unpackHalf(words, [5])).toThrow(/unpackHalf: halves/);
    for (const held of [ints, words]) held.dispose();
  });
});
