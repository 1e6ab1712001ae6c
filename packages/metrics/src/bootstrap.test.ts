import { describe, expect, it } from 'vitest';
import {
  accuracyScore,
  bootstrapConfidenceInterval,
  bootstrapFromConfusion,
  confusionMatrix,
  f1Score,
  logLoss,
  MetricsError,
} from './index';
import { SeededRandom } from './random';

const samples = 400;
const actual = Array.from({ length: samples }, (_, i) => i % 4);
const predicted = actual.map((label, i) => (i % 5 === 0 ? (label + 1) % 4 : label));

describe('bootstrapConfidenceInterval', () => {
  it('is as wide as the binomial law says for an accuracy', () => {
    const interval = bootstrapConfidenceInterval({ data: [actual, predicted], metric: accuracyScore, resamples: 4000 });
    const standardError = Math.sqrt((0.8 * 0.2) / samples);
    expect(interval.estimate).toBe(0.8);
    expect(interval.standardError / standardError).toBeGreaterThan(0.95);
    expect(interval.standardError / standardError).toBeLessThan(1.05);
    // 1.96 standard errors each way, on a grid of 1/400.
    expect(interval.low).toBeGreaterThan(0.8 - 2.2 * standardError);
    expect(interval.low).toBeLessThan(0.8 - 1.75 * standardError);
    expect(interval.high).toBeLessThan(0.8 + 2.2 * standardError);
    expect(interval.high).toBeGreaterThan(0.8 + 1.75 * standardError);
    expect(interval).toMatchObject({ confidenceLevel: 0.95, resamples: 4000, undefinedResamples: 0 });
  });

  it('gives the same interval for the same seed and another one for another', () => {
    const run = (seed: number) =>
      bootstrapConfidenceInterval({
        data: [actual, predicted],
        metric: (y, p) => f1Score(y, p, { average: 'macro' }),
        resamples: 50,
        seed,
      });
    expect(run(7)).toEqual(run(7));
    expect(run(8).low).not.toBe(run(7).low);
  });

  it('draws the same rows from every column', () => {
    const index = Float64Array.from({ length: samples }, (_, i) => i);
    const data = index;
    bootstrapConfidenceInterval({
      data: [index, Array.from(index, (i) => [i, -i]), { data, shape: [samples, 1] as const }] as const,
      metric: (numbers, rows, dense) => {
        for (let i = 0; i < samples; i++) {
          expect(rows[i]).toEqual([numbers[i], -numbers[i]!]);
          expect(dense.data[i]).toBe(numbers[i]);
        }
        return 0;
      },
      resamples: 3,
    });
  });

  it('interpolates between the ordered results as numpy.percentile does', () => {
    // The estimate, then five resamples: numpy.percentile([1, 2, 4, 8, 16], [2.5, 97.5]) is [1.1, 15.2].
    const results = [3, 16, 1, 8, 2, 4];
    const interval = bootstrapConfidenceInterval({ data: [[0]], metric: () => results.shift()!, resamples: 5 });
    expect(interval.low).toBeCloseTo(1.1, 14);
    expect(interval.high).toBeCloseTo(15.2, 14);
    // numpy.std([1, 2, 4, 8, 16], ddof=1)
    expect(interval.standardError).toBeCloseTo(6.099180272790763, 14);
  });

  it('counts resamples on which the metric is undefined', () => {
    const results = [1, NaN, 1, NaN, 1];
    const interval = bootstrapConfidenceInterval({ data: [[0]], metric: () => results.shift()!, resamples: 4 });
    expect(interval).toMatchObject({ low: 1, high: 1, resamples: 4, undefinedResamples: 2 });
  });

  it('takes scores as well as labels', () => {
    const scores = { data: Float32Array.of(0.9, 0.1, 0.2, 0.8), shape: [2, 2] as const };
    const { low, high } = bootstrapConfidenceInterval({
      data: [[0, 1], scores] as const,
      metric: (y, p) => logLoss(y, p),
    });
    expect(low).toBeCloseTo(-Math.log(0.9), 6);
    expect(high).toBeCloseTo(-Math.log(0.8), 6);
  });

  it.each([
    [{ resamples: 0 }, /resamples is 0/],
    [{ confidenceLevel: 95 }, /confidenceLevel is 95/],
    [{ seed: -1 }, /seed is -1: pass an integer from 0 to 4294967295/],
  ])('refuses %j', (settings, message) => {
    const act = () => bootstrapConfidenceInterval({ data: [actual, predicted], metric: accuracyScore, ...settings });
    expect(act).toThrow(MetricsError);
    expect(act).toThrow(message);
  });

  it('refuses columns of other lengths and a metric that is not a number', () => {
    expect(() => bootstrapConfidenceInterval({ data: [[0], [0, 1]], metric: () => 1 })).toThrow(/hold 1, 2 samples/);
    expect(() => bootstrapConfidenceInterval({ data: [[]], metric: () => 1 })).toThrow(/no sample/);
    expect(() => bootstrapConfidenceInterval({ data: [[0]], metric: () => NaN })).toThrow(/metric is NaN/);
  });
});

describe('bootstrapFromConfusion', () => {
  it('agrees with the bootstrap over label arrays', () => {
    const settings = { resamples: 4000, seed: 3 };
    const arrays = bootstrapConfidenceInterval({
      data: [actual, predicted],
      metric: (y, p) => f1Score(y, p, { average: 'macro' }),
      ...settings,
    });
    const counts = bootstrapFromConfusion({
      confusion: confusionMatrix(actual, predicted),
      metric: ({ f1 }) => f1.macro,
      ...settings,
    });
    expect(counts.estimate).toBe(arrays.estimate);
    // Different draws of one distribution: the ends of 4,000 resamples scatter by about 0.03 standard errors.
    expect(Math.abs(counts.low - arrays.low) / arrays.standardError).toBeLessThan(0.2);
    expect(Math.abs(counts.high - arrays.high) / arrays.standardError).toBeLessThan(0.2);
    expect(counts.standardError / arrays.standardError).toBeGreaterThan(0.95);
    expect(counts.standardError / arrays.standardError).toBeLessThan(1.05);
  });

  it('has no width where one cell holds everything', () => {
    const { low, high, standardError } = bootstrapFromConfusion({
      confusion: [0, 5, 0, 0],
      metric: ({ accuracy }) => accuracy,
      resamples: 20,
    });
    expect([low, high, standardError]).toEqual([0, 0, 0]);
  });

  it('refuses more samples than memory is for', () => {
    const confusion = [2 ** 40, 0, 0, 1];
    expect(() => bootstrapFromConfusion({ confusion, metric: (m) => m.accuracy })).toThrow(/takes up to 134217728/);
  });
});

describe('SeededRandom', () => {
  it('draws every integer below the bound about equally often', () => {
    const random = new SeededRandom(1);
    const counts = new Float64Array(7);
    for (let i = 0; i < 70_000; i++) counts[random.nextBelow(7)]!++;
    // Chi-squared with 6 degrees of freedom stays below 22.5 in 999 of 1,000 seeds; this seed is fixed.
    expect(counts.reduce((total, count) => total + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.5);
  });

  it('follows xoshiro128** from the state that splitmix32 gives', () => {
    // Checked against a separate implementation with Python integers.
    const random = new SeededRandom(42);
    expect([random.nextUint32(), random.nextUint32(), random.nextUint32()]).toEqual([660444221, 3652823732, 77672526]);
  });
});
