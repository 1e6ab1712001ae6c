import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from './errors';
import { SeededRandom } from './random';

describe('SeededRandom', () => {
  // numpy 2.4.6: g = np.random.default_rng(seed); g.permutation(12); g.integers(0, 1000) four times; g.random(2)
  it.each([
    [0, [9, 2, 7, 4, 5, 11, 0, 3, 6, 10, 8, 1], [277, 815, 670, 2], [0.8574042765875693, 0.033585575305464355]],
    [42, [0, 7, 6, 9, 11, 3, 5, 2, 4, 10, 1, 8], [717, 786, 513, 128], [0.45038593789556713, 0.37079802423258124]],
    [2 ** 40 + 7, [8, 2, 6, 1, 11, 9, 3, 7, 4, 5, 0, 10], [15, 647, 37, 696], [0.9012215328971839, 0.3383665949438819]],
  ])('draws what numpy draws for seed %i', (seed, permutation, integers, floats) => {
    const random = new SeededRandom(seed);
    expect([...random.permutation(12)]).toEqual(permutation);
    expect(integers.map(() => random.below(1000))).toEqual(integers);
    expect(floats.map(() => random.random())).toEqual(floats);
  });

  it('takes several seeds and samples without replacement as numpy does', () => {
    expect([...new SeededRandom([3, 7]).permutation(9)]).toEqual([1, 2, 7, 4, 0, 8, 6, 3, 5]);
    const random = new SeededRandom(5);
    expect(random.sample(77, 9)).toEqual([56, 34, 38, 75, 47, 58, 21, 1, 46]);
    expect(random.sample(5, 5)).toEqual([1, 2, 0, 4, 3]);
  });

  it("orders Banking77's 10,003 rows as numpy does", () => {
    const order = new SeededRandom(0).permutation(10_003);
    expect([...order.slice(0, 8)]).toEqual([6772, 2290, 2891, 4754, 2125, 4861, 1771, 7483]);
    expect(order.reduce((sum, row, place) => sum + row * place, 0)).toBe(249018255797);
  });

  it('permutes: every number once', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), (count, seed) => {
        const sorted = new SeededRandom(seed).permutation(count).sort();
        expect([...sorted]).toEqual(Array.from({ length: count }, (_, index) => index));
      }),
    );
  });

  it.each([-1, 1.5, NaN, 2 ** 53, []])('refuses the seed %j', (seed) => {
    expect(() => new SeededRandom(seed)).toThrow(DataError);
  });

  it.each([0, -3, 2.5, 2 ** 32])('refuses a range of %d', (count) => {
    expect(() => new SeededRandom(0).below(count)).toThrow(/count from 1/);
  });
});
