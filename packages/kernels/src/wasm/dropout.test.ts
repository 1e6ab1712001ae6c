import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { philox4x32 } from '../random/philox';
import { normals } from '../testing/random-data';
import { openKernels, TestHeap, type TestedKernels } from './test-heap';

/** Key and counter words 1 to 3. */
type Position = readonly [key0: number, key1: number, c1: number, c2: number, c3: number];

/** Random123 kat_vectors, philox4x32 10: counter, key, result. */
const KNOWN: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
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
      tested.kernels.dropout(heap.input(x), x.length, threshold, scale, ...position, y);
      return heap.floats(y, x.length);
    });

  it('draws the known answers of Philox4x32-10', () => {
    const ones = new Float32Array(4).fill(1);
    const [[, , [...words]]] = KNOWN as [[unknown, unknown, number[]]];
    const position: Position = [0, 0, 0, 0, 0];
    // An element is kept up to the threshold that equals its word, and dropped by the next.
    words.forEach((word, lane) => {
      expect(dropout(ones, word, 1, position)[lane]).toBe(1);
      expect(dropout(ones, word + 1, 1, position)[lane]).toBe(0);
    });
  });

  it('agrees with a Philox that draws all the known answers', () => {
    const out = new Uint32Array(4);
    for (const [[c0, c1, c2, c3], [k0, k1], words] of KNOWN) {
      philox4x32([c0!, c1!, c2!, c3!], [k0!, k1!], out);
      expect(Array.from(out)).toEqual(words);
    }
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const positions: fc.Arbitrary<Position> = fc.tuple(word, word, word, word, word);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 150 }),
        word,
        positions,
        fc.integer(),
        (count, threshold, position, seed) => {
          const x = normals(seed, count);
          const y = dropout(x, threshold, 1.25, position);
          const [key0, key1, c1, c2, c3] = position;
          x.forEach((value, i) => {
            philox4x32([i >> 2, c1, c2, c3], [key0, key1], out);
            expect(y[i]).toBe(out[i & 3]! >= threshold ? Math.fround(value * 1.25) : 0);
          });
          const residual = normals(seed + 1, count);
          TestHeap.use(tested, (heap) => {
            const sum = heap.room(4 * count);
            tested.kernels.dropoutAdd(heap.input(x), heap.input(residual), count, threshold, 1.25, ...position, sum);
            expect(heap.floats(sum, count)).toEqual(y.map((value, i) => value + residual[i]!));
            const inPlace = heap.inOut(x);
            tested.kernels.dropout(inPlace, count, threshold, 1.25, ...position, inPlace);
            expect(heap.floats(inPlace, count)).toEqual(y);
          });
        },
      ),
      { seed: 41, numRuns: 80 },
    );
  });

  it('drops an infinity to zero and keeps all at threshold 0', () => {
    const infinite = new Float32Array(64).fill(Infinity);
    expect(new Set(dropout(infinite, 2 ** 31, 2, [1, 2, 3, 4, 5]))).toEqual(new Set([0, Infinity]));
    const x = normals(3, 50);
    expect(dropout(x, 0, 1, [1, 2, 3, 4, 5])).toEqual(x);
  });
});
