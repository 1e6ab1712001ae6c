import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { DROPOUT_ROUNDS } from '../random/dropout-stream';
import { philox4x32 } from '../random/philox';
import { normals } from '../testing/random-data';
import { openKernels, TestHeap, type TestedKernels } from './test-heap';

/** Key and counter words 1 to 3, the last the row's number. */
type Position = readonly [key0: number, key1: number, c1: number, c2: number, c3: number];

/** Random123 kat_vectors, philox4x32 7: counter, key, result. */
const KNOWN: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a],
  ],
];

describe('dropout', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  const dropout = (x: Float32Array, threshold: number, scale: number, position: Position): Float32Array =>
    TestHeap.use(tested, (heap) => {
      const y = heap.room(4 * x.length);
      const [key0, key1, c1, c2, number] = position;
      const numbers = heap.input(Int32Array.of(number));
      tested.kernels.dropout(heap.input(x), 1, x.length, threshold, scale, key0, key1, c1, c2, numbers, y);
      return heap.floats(y, x.length);
    });

  it('draws each row by its number', () => {
    const columns = 45;
    const x = normals(8, 3 * columns);
    const numbers = [6, -2, 6];
    const found = TestHeap.use(tested, (heap) => {
      const y = heap.room(4 * x.length);
      const at = heap.input(Int32Array.from(numbers));
      tested.kernels.dropout(heap.input(x), 3, columns, 2 ** 15, 2, 1, 2, 3, 4, at, y);
      return heap.floats(y, x.length);
    });
    const part = (values: Float32Array, row: number) => values.subarray(row * columns, (row + 1) * columns);
    numbers.forEach((number, row) => {
      expect(part(found, row)).toEqual(dropout(part(x, row), 2 ** 15, 2, [1, 2, 3, 4, number]));
    });
  });

  it('draws the known answers of Philox4x32-7', () => {
    const ones = new Float32Array(8).fill(1);
    const [[, , words]] = KNOWN as unknown as [[unknown, unknown, number[]]];
    const position: Position = [0, 0, 0, 0, 0];
    // An element is kept up to the threshold that equals its half of a word, and dropped by the next.
    const halves = words.flatMap((word) => [word & 0xffff, word >>> 16]);
    halves.forEach((half, i) => {
      expect(dropout(ones, half, 1, position)[i]).toBe(1);
      expect(dropout(ones, half + 1, 1, position)[i]).toBe(0);
    });
  });

  it('agrees with a Philox that draws all the known answers', () => {
    const out = new Uint32Array(4);
    for (const [[c0, c1, c2, c3], [k0, k1], words] of KNOWN) {
      philox4x32([c0!, c1!, c2!, c3!], [k0!, k1!], out, DROPOUT_ROUNDS);
      expect(Array.from(out)).toEqual(words);
    }
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const positions: fc.Arbitrary<Position> = fc.tuple(word, word, word, word, word);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 150 }),
        fc.integer({ min: 0, max: 0x10000 }),
        positions,
        fc.integer(),
        (count, threshold, position, seed) => {
          const x = normals(seed, count);
          const y = dropout(x, threshold, 1.25, position);
          const [key0, key1, c1, c2, c3] = position;
          x.forEach((value, i) => {
            philox4x32([i >> 3, c1, c2, c3], [key0, key1], out, DROPOUT_ROUNDS);
            const bits = (out[(i & 7) >> 1]! >>> (16 * (i & 1))) & 0xffff;
            expect(y[i]).toBe(bits >= threshold ? Math.fround(value * 1.25) : 0);
          });
          const residual = normals(seed + 1, count);
          TestHeap.use(tested, (heap) => {
            const sum = heap.room(4 * count);
            const drawn = [1, count, threshold, 1.25, key0, key1, c1, c2, heap.input(Int32Array.of(c3))] as const;
            tested.kernels.dropoutAdd(heap.input(x), heap.input(residual), ...drawn, sum);
            expect(heap.floats(sum, count)).toEqual(y.map((value, i) => value + residual[i]!));
            const inPlace = heap.inOut(x);
            tested.kernels.dropout(inPlace, ...drawn, inPlace);
            expect(heap.floats(inPlace, count)).toEqual(y);
          });
        },
      ),
      { seed: 41, numRuns: 80 },
    );
  });

  it('drops an infinity to zero and keeps all at threshold 0', () => {
    const infinite = new Float32Array(64).fill(Infinity);
    expect(new Set(dropout(infinite, 2 ** 15, 2, [1, 2, 3, 4, 5]))).toEqual(new Set([0, Infinity]));
    const x = normals(3, 50);
    expect(dropout(x, 0, 1, [1, 2, 3, 4, 5])).toEqual(x);
  });
});
