import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracyScore,
  balancedAccuracyScore,
  confusionMatrix,
  f1Score,
  matthewsCorrcoef,
  metricsFromConfusion,
  precisionScore,
  recallScore,
  rocAucScore,
  softmax,
} from './index';
import { sum } from './summation';

const pairs = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 })).chain(([samples, classes]) => {
  const side = fc.array(fc.nat({ max: classes - 1 }), { minLength: samples, maxLength: samples });
  return fc.record({ actual: side, predicted: side, classes: fc.constant(classes) });
});

describe('laws', () => {
  it('a confusion matrix alone gives what the label arrays give', () => {
    fc.assert(
      fc.property(pairs, ({ actual, predicted, classes }) => {
        const all = Array.from({ length: classes }, (_, label) => label);
        const matrix = confusionMatrix(actual, predicted, { labels: all });
        const metrics = metricsFromConfusion(Int32Array.from(matrix.flat()));
        expect(metrics).toEqual(metricsFromConfusion(matrix));
        expect(metrics.samples).toBe(actual.length);
        expect(metrics.accuracy).toBe(accuracyScore(actual, predicted));
        expect(metrics.balancedAccuracy).toBe(balancedAccuracyScore(actual, predicted));
        expect(metrics.matthewsCorrcoef).toBe(matthewsCorrcoef(actual, predicted));
        for (const average of ['macro', 'micro', 'weighted'] as const) {
          expect(metrics.precision[average]).toBe(precisionScore(actual, predicted, { average }));
          expect(metrics.recall[average]).toBe(recallScore(actual, predicted, { average }));
          expect(metrics.f1[average]).toBe(f1Score(actual, predicted, { average }));
        }
        expect(metrics.perClass.fscore).toEqual(f1Score(actual, predicted, { average: 'none', labels: all }));
        expect(metricsFromConfusion(matrix, { classes: 'all' }).f1.macro).toBe(
          f1Score(actual, predicted, { average: 'macro', labels: all }),
        );
        expect(metrics.classesWithoutSamples).toEqual(all.filter((label) => !actual.includes(label)));
        expect(metrics.classesNeverPredicted).toEqual(all.filter((label) => !predicted.includes(label)));
      }),
    );
  });

  it('micro averages and weighted recall are the accuracy', () => {
    fc.assert(
      fc.property(pairs, ({ actual, predicted }) => {
        const accuracy = accuracyScore(actual, predicted);
        expect(f1Score(actual, predicted, { average: 'micro' })).toBeCloseTo(accuracy, 14);
        expect(recallScore(actual, predicted, { average: 'weighted' })).toBeCloseTo(accuracy, 14);
      }),
    );
  });

  it('names instead of indices, and another order of samples, change nothing', () => {
    fc.assert(
      fc.property(pairs, ({ actual, predicted }) => {
        const named = (labels: number[]): string[] => labels.map((label) => `intent ${label}`).reverse();
        expect(matthewsCorrcoef(named(actual), named(predicted))).toBe(matthewsCorrcoef(actual, predicted));
        expect(confusionMatrix(named(actual), named(predicted))).toEqual(confusionMatrix(actual, predicted));
      }),
    );
  });

  it('ROC AUC counts the pairs in the right order', () => {
    const scored = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 4 })), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(scored, (samples) => {
        const positives = samples.filter(([positive]) => positive).map(([, score]) => score);
        const negatives = samples.filter(([positive]) => !positive).map(([, score]) => score);
        fc.pre(positives.length > 0 && negatives.length > 0);
        const won = positives.flatMap((p) => negatives.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
        const expected = sum(won) / won.length;
        const rows = samples.map(([, score]) => [1 - score / 4, score / 4]);
        const [first, second] = rocAucScore(
          samples.map(([positive]) => (positive ? 1 : 0)),
          rows,
          { average: 'none' },
        );
        expect(second).toBeCloseTo(expected, 14);
        expect(first).toBeCloseTo(expected, 14);
      }),
    );
  });

  it('softmax rows are distributions in the order of the logits', () => {
    const rows = fc.array(fc.array(fc.double({ min: -700, max: 700, noNaN: true }), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(rows, (logits) => {
        const { data, shape } = softmax(logits);
        expect(shape).toEqual([logits.length, 3]);
        logits.forEach(([a, b], row) => {
          expect(sum(data.subarray(row * 3, row * 3 + 3))).toBeCloseTo(1, 14);
          if (a! <= b!) expect(data[row * 3]!).toBeLessThanOrEqual(data[row * 3 + 1]!);
        });
      }),
    );
  });

  it('a sum keeps what plain addition loses', () => {
    expect(sum([1, 1e100, 1, -1e100])).toBe(2);
    expect(sum(new Float64Array(10).fill(0.1))).toBe(1);
    expect(sum([Infinity, 1])).toBe(Infinity);
  });
});
