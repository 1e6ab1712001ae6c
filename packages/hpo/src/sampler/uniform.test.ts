import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, floatDistribution, intDistribution, toInternal } from '../distribution/distribution';
import { distributionFromJson } from '../distribution/json';
import { RandomState } from '../random/random-state';
import { goldens } from '../testing/optuna-goldens';
import { drawUniform } from './uniform';

describe('drawUniform', () => {
  it("draws what Optuna's RandomSampler draws", () => {
    const { seed, draws } = goldens.uniform_draws;
    const random = new RandomState(seed);
    for (const [name, wanted] of draws) {
      const drawn = drawUniform(distributionFromJson(goldens.distributions[name]!), random);
      if (typeof wanted === 'number') expect(drawn, name).toBeCloseTo(wanted, 13);
      else expect(drawn, name).toBe(wanted);
    }
  });

  it('stays inside every distribution', () => {
    const seed = fc.integer({ min: 0, max: 1000 });
    const low = fc.double({ min: 1e-9, max: 1e3, noNaN: true });
    const wide = fc.double({ min: 0, max: 1e3, noNaN: true });
    const step = fc.option(fc.double({ min: 1e-2, max: 50, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(seed, low, wide, step, fc.boolean(), (number, from, width, by, log) => {
        const random = new RandomState(number);
        const real = floatDistribution({ low: from, high: from + width, log, step: log ? undefined : by });
        expect(contains(real, toInternal(real, drawUniform(real, random), 'x'))).toBe(true);
        const whole = intDistribution({ low: Math.ceil(from), high: Math.ceil(from + width), log });
        expect(contains(whole, toInternal(whole, drawUniform(whole, random), 'k'))).toBe(true);
      }),
    );
  });
});
