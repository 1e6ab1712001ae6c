import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { torchMean } from './torch-mean';

/** Multiples of 2^-32 in no order, rounded to float32: the same numbers in numpy and here. */
function scrambled(count: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) => Number((BigInt(i) * 2654435761n + 12345n) % 4294967296n) / 2 ** 32,
  );
}

describe('torchMean', () => {
  // torch.from_numpy(x).mean() of torch 2.15 with 8 threads and more; up to 65,536 values with two, too.
  it.each([
    [1, 2.8742942959070206e-6],
    [5, 0.43607082962989807],
    [7, 0.42553338408470154],
    [8, 0.4131218492984772],
    [9, 0.47213882207870483],
    [100, 0.4926852285861969],
    [1000, 0.49997925758361816],
    [4096, 0.5000302791595459],
    [32767, 0.499991774559021],
    [40000, 0.4999963939189911],
    [65536, 0.4999840259552002],
    [100001, 0.4999934434890747],
    [262144, 0.4999992847442627],
  ])('of %d values has torch’s bits', (count, expected) => {
    expect(torchMean(scrambled(count))).toBe(expected);
  });

  it('lies within float32 rounding of the exact mean', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 2000 }), (list) => {
        const values = Float32Array.from(list);
        const exact = values.reduce((sum, value) => sum + value, 0) / values.length;
        expect(Math.abs(torchMean(values) - exact)).toBeLessThanOrEqual(Math.max(1e-6 * exact, 2 ** -149));
      }),
    );
  });
});
