import { describe, expect, it } from 'vitest';
import { goldenJson } from '../../../tools/test/golden';
import {
  binarize,
  meanAbsoluteError,
  meanSquaredError,
  multilabelMetrics,
  pearsonCorrelation,
  r2Score,
  rootMeanSquaredError,
  spearmanCorrelation,
} from './index';

interface Golden {
  readonly severalLabels: readonly (Readonly<Record<string, number>> & {
    readonly truth: readonly number[][];
    readonly logits: readonly number[][];
  })[];
  readonly numbers: readonly (Readonly<Record<string, number | null>> & {
    readonly truth: readonly number[];
    readonly predictions: readonly number[];
  })[];
}

const golden = goldenJson<Golden>('metrics-tasks.json');
const AVERAGES = ['macro', 'micro', 'weighted', 'samples'] as const;

function expectSame(seen: number, wanted: number, what: string): void {
  expect(Math.abs(seen - wanted), what).toBeLessThan(1e-12);
}

describe("scikit-learn's and scipy's results", () => {
  it.each(golden.severalLabels.map((recorded, number) => [number, recorded] as const))(
    'several labels a row, case %i',
    (_, recorded) => {
      const { truth, logits } = recorded;
      const seen = multilabelMetrics(truth, binarize(logits));
      expectSame(seen.accuracy, recorded['accuracy']!, 'accuracy');
      expectSame(seen.hammingLoss, recorded['hamming_loss']!, 'hamming loss');
      for (const average of AVERAGES) {
        for (const name of ['precision', 'recall', 'f1'] as const) {
          const wanted = recorded[`${name}_${average}`];
          if (wanted !== undefined) expectSame(seen[name][average], wanted, `${name} ${average}`);
        }
      }
    },
  );

  it.each(golden.numbers.map((recorded, number) => [number, recorded] as const))('numbers, case %i', (_, recorded) => {
    const { truth, predictions } = recorded;
    const functions = {
      mse: meanSquaredError,
      rmse: rootMeanSquaredError,
      mae: meanAbsoluteError,
      r2: r2Score,
      pearson: pearsonCorrelation,
      spearman: spearmanCorrelation,
    };
    for (const [name, compute] of Object.entries(functions)) {
      const wanted = recorded[name];
      const seen = compute(truth, predictions);
      if (wanted === null) expect(seen, name).toBeNaN();
      else expectSame(seen, wanted!, name);
    }
  });
});

describe('several labels', () => {
  it('takes a threshold of probabilities, and scores at it as not above it', () => {
    const probabilities = { data: Float32Array.of(0.5, 0.51, 0.2, 0.9), shape: [2, 2] as const };
    expect([...binarize(probabilities, { threshold: 0.5 }).data]).toEqual([0, 1, 0, 1]);
    expect(() => binarize(probabilities, { threshold: NaN })).toThrow('threshold is NaN');
  });

  it('refuses what is no indicator, and other shapes', () => {
    expect(() => multilabelMetrics([[0, 2]], [[0, 1]])).toThrow(
      'The true label in row 0, column 1 is 2: indicators are 0 or 1.',
    );
    expect(() => multilabelMetrics([[0, 1]], [[0], [1]])).toThrow(
      'There are [1, 2] true labels and [2, 1] predicted ones',
    );
  });
});

describe('numbers', () => {
  it('keeps a perfect correlation at 1, whatever the scale', () => {
    expect(pearsonCorrelation([1e200, 2e200, 4e200], [1e-200, 2e-200, 4e-200])).toBeCloseTo(1, 14);
    expect(spearmanCorrelation([1, 2, 3], [9, 4, 1])).toBeCloseTo(-1, 14);
  });

  it('has no variance to explain where the truth is constant', () => {
    expect(r2Score([2, 2], [2, 2])).toBe(1);
    expect(r2Score([2, 2], [2, 3])).toBe(0);
    expect(r2Score([2], [2])).toBeNaN();
  });

  it('refuses none, other counts, and what is no finite number', () => {
    expect(() => meanSquaredError([], [])).toThrow('There are no values');
    expect(() => pearsonCorrelation([1], [1, 2])).toThrow('There are 1 true values and 2 predicted ones');
    expect(() => spearmanCorrelation([1, 2], [1, Infinity])).toThrow('The predicted value at 1 is Infinity');
  });
});
