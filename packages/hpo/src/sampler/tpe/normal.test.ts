import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldens } from '../../testing/optuna-goldens';
import {
  erf,
  erfc,
  inverseLogNormalCdf,
  logAddExp,
  logNormalCdf,
  logNormalMass,
  normalCdf,
  truncatedNormalQuantile,
} from './normal';

/** Largest relative difference, absolute where the wanted value is 0. */
function expectClose(actual: number, wanted: number, tolerance: number, what: string): void {
  const error = Math.abs(actual - wanted) / (wanted === 0 ? 1 : Math.abs(wanted));
  expect(error, `${what}: ${actual} instead of ${wanted}`).toBeLessThanOrEqual(tolerance);
}

describe('the normal distribution', () => {
  it('has erf and erfc as the C library', () => {
    for (const [x, wantedErf, wantedErfc] of goldens.erf) {
      expectClose(erf(x), wantedErf, 1e-15, `erf(${x})`);
      expectClose(erfc(x), wantedErfc, 1e-13, `erfc(${x})`);
    }
  });

  it('has the logarithm of its cdf as scipy, in both tails', () => {
    for (const [x, wanted] of goldens.log_ndtr) expectClose(logNormalCdf(x), wanted, 1e-13, `log cdf(${x})`);
  });

  it("has an interval's mass and a truncated quantile as Optuna", () => {
    for (const [a, b, wanted] of goldens.log_gauss_mass) expectClose(logNormalMass(a, b), wanted, 2e-11, `${a}..${b}`);
    for (const [q, a, b, wanted] of goldens.ppf) {
      expectClose(truncatedNormalQuantile(q, a, b), wanted, 1e-9, `quantile ${q} of ${a}..${b}`);
    }
  });

  it('is symmetric, and its inverse undoes it', () => {
    fc.assert(
      fc.property(fc.double({ min: -30, max: 8, noNaN: true }), (x) => {
        expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 14);
        // Above 5 the cdf is too close to 1 for its logarithm to tell neighbours apart.
        if (x < 5) expect(inverseLogNormalCdf(logNormalCdf(x))).toBeCloseTo(x, 8);
      }),
    );
  });

  it('adds in the logarithm without overflow', () => {
    expect(logAddExp(1000, 1000)).toBe(1000 + Math.LN2);
    expect(logAddExp(-Infinity, -3)).toBe(-3);
    expect(logAddExp(0, -1)).toBeCloseTo(Math.log(1 + Math.exp(-1)), 15);
  });

  it('keeps truncated quantiles in their interval', () => {
    const number = fc.double({ min: -40, max: 40, noNaN: true });
    const width = fc.double({ min: 1e-3, max: 20, noNaN: true });
    fc.assert(
      fc.property(number, width, fc.double({ min: 0, max: 1, noNaN: true }), (a, wide, q) => {
        const x = truncatedNormalQuantile(q, a, a + wide);
        expect(x).toBeGreaterThanOrEqual(a - 1e-6 * Math.max(1, Math.abs(a)));
        expect(x).toBeLessThanOrEqual(a + wide + 1e-6 * Math.max(1, Math.abs(a + wide)));
      }),
    );
  });
});
