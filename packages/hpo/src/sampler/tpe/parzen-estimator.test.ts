import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Distribution, floatDistribution, intDistribution } from '../../distribution/distribution';
import { distributionFromJson } from '../../distribution/json';
import { RandomState } from '../../random/random-state';
import { goldens } from '../../testing/optuna-goldens';
import { argsort } from './argsort';
import { defaultWeights, ParzenEstimator } from './parzen-estimator';

const space = Object.fromEntries(
  Object.entries(goldens.distributions).map(([name, text]): [string, Distribution] => [
    name,
    distributionFromJson(text),
  ]),
);
const arrays = (points: Record<string, number[]>) =>
  Object.fromEntries(Object.entries(points).map(([name, values]) => [name, Float64Array.from(values)]));
const options = { priorWeight: 1, considerMagicClip: true, considerEndpoints: false, weights: defaultWeights };

describe('ParzenEstimator', () => {
  it.each(goldens.parzen)('samples and weighs as Optuna: seed $seed, endpoints $endpoints', (golden) => {
    const estimator = ParzenEstimator.of(arrays(golden.observations), space, {
      priorWeight: golden.prior_weight,
      considerMagicClip: golden.magic_clip,
      considerEndpoints: golden.endpoints,
      weights: defaultWeights,
    });
    const sampled = estimator.sample(new RandomState(golden.seed), 8);
    for (const [name, wanted] of Object.entries(golden.sampled)) {
      wanted.forEach((value, i) => expect(sampled[name]![i], name).toBeCloseTo(value, 10));
    }
    estimator.logPdf(arrays(golden.sampled)).forEach((value, i) => expect(value).toBeCloseTo(golden.log_pdf[i]!, 9));
    estimator.logPdf(arrays(golden.points)).forEach((value, i) => {
      expect(value).toBeCloseTo(golden.points_log_pdf[i]!, 9);
    });
  });

  it('sums to 1 over a stepped range', () => {
    const range: Distribution = intDistribution({ low: 0, high: 50, step: 5 });
    const estimator = ParzenEstimator.of({ k: Float64Array.of(0, 5, 5, 45) }, { k: range }, options);
    const densities = estimator.logPdf({ k: Float64Array.from({ length: 11 }, (_, i) => 5 * i) });
    expect(densities.reduce((sum, density) => sum + Math.exp(density), 0)).toBeCloseTo(1, 12);
  });

  it('integrates to 1 over a continuous range, and is nothing outside it', () => {
    const range: Distribution = floatDistribution({ low: -1, high: 3 });
    const estimator = ParzenEstimator.of({ x: Float64Array.of(-0.9, 0, 0.1, 2.9) }, { x: range }, options);
    const count = 4000;
    const points = Float64Array.from({ length: count }, (_, i) => -1 + (4 * (i + 0.5)) / count);
    const sum = estimator.logPdf({ x: points }).reduce((total, density) => total + Math.exp(density), 0);
    expect((sum * 4) / count).toBeCloseTo(1, 5);
    expect(estimator.logPdf({ x: Float64Array.of(3.01) })[0]).toBe(-Infinity);
  });

  it('refuses weights of another length, and all of them 0', () => {
    const make = (weights: (n: number) => number[]) => () =>
      ParzenEstimator.of(
        { x: Float64Array.of(0, 1) },
        { x: floatDistribution({ low: 0, high: 1 }) },
        { ...options, weights },
      );
    expect(make(() => [1])).toThrow(/weights\(2\) must return 2 finite numbers/);
    expect(make(() => [0, 0])).toThrow(/not all of them 0/);
    expect(make(() => [1, NaN])).toThrow(/finite/);
    expect(make(() => [1, -1])).toThrow(/at least 0/);
  });

  it('weighs old observations less from the 26th on', () => {
    expect([...defaultWeights(3)]).toEqual([1, 1, 1]);
    const weights = [...defaultWeights(30)];
    expect(weights.slice(0, 5)).toEqual([
      1 / 30,
      1 / 30 + (29 / 30) * 0.25,
      1 / 30 + (29 / 30) * 0.5,
      expect.closeTo(1 / 30 + (29 / 30) * 0.75, 12),
      1,
    ]);
    expect(weights.slice(5)).toEqual(Array.from({ length: 25 }, () => 1));
    expect(defaultWeights(26)[0]).toBe(1 / 26);
  });
});

describe('argsort', () => {
  it('orders equal values as numpy does on AVX2 and AVX-512', () => {
    for (const [values, order] of goldens.argsort) expect([...argsort(values)]).toEqual(order);
  });

  it('sorts any list, also beyond the network', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 300 }), (values) => {
        const order = [...argsort(values)];
        expect(order.map((i) => values[i])).toEqual([...values].sort((a, b) => a - b));
        expect(new Set(order).size).toBe(values.length);
      }),
    );
  });
});
