import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { normals } from '../testing/random-data';
import { openKernels, TestHeap, type TestedKernels } from './test-heap';

const count = fc.integer({ min: 1, max: 50 });

describe('element-wise kernels', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  it('add, axpy and scaleInPlace round as float32 does', () => {
    fc.assert(
      fc.property(count, fc.integer(), (n, seed) => {
        const a = normals(seed, n);
        const b = normals(seed + 1, n);
        TestHeap.use(tested, (heap) => {
          const { kernels } = tested;
          const sum = heap.room(4 * n);
          kernels.add(heap.input(a), heap.input(b), n, sum);
          expect(heap.floats(sum, n)).toEqual(a.map((value, i) => value + b[i]!));
          const y = heap.inOut(b);
          kernels.axpy(-0.3, heap.input(a), n, y);
          expect(heap.floats(y, n)).toEqual(b.map((value, i) => value + Math.fround(Math.fround(-0.3) * a[i]!)));
          const scaled = heap.inOut(a);
          kernels.scaleInPlace(scaled, n, 0.7);
          expect(heap.floats(scaled, n)).toEqual(a.map((value) => value * Math.fround(0.7)));
        });
      }),
      { seed: 51, numRuns: 60 },
    );
  });

  it('sumSquares adds in float64', () => {
    fc.assert(
      fc.property(count, fc.integer(), (n, seed) => {
        const x = normals(seed, n, 1e19);
        const expected = x.reduce((sum, value) => sum + value * value, 0);
        const found = TestHeap.use(tested, (heap) => tested.kernels.sumSquares(heap.input(x), n));
        expect(Math.abs(found / expected - 1)).toBeLessThan(1e-14);
      }),
      { seed: 52, numRuns: 60 },
    );
  });

  it('hasNonFinite finds one NaN or infinity at any place and nothing else', () => {
    fc.assert(
      fc.property(count, fc.nat(49), fc.constantFrom(NaN, Infinity, -Infinity), fc.integer(), (n, place, bad, seed) => {
        const x = normals(seed, n);
        x[(place + 1) % n] = 3.4e38;
        const ask = () => TestHeap.use(tested, (heap) => tested.kernels.hasNonFinite(heap.input(x), n));
        expect(ask()).toBe(0);
        x[place % n] = bad;
        expect(ask()).toBe(1);
      }),
      { seed: 53, numRuns: 60 },
    );
  });
});
