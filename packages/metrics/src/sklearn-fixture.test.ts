import { describe, expect, it } from 'vitest';
import { goldenJson } from '../../../tools/test/golden';
import {
  accuracyScore,
  balancedAccuracyScore,
  confusionMatrix,
  f1Score,
  matthewsCorrcoef,
  precisionScore,
  recallScore,
} from './index';

type Scores = Record<`${'precision' | 'recall' | 'f1'}_${'macro' | 'micro' | 'weighted'}`, number>;

interface Case extends Scores {
  labels: number[];
  predictions: number[];
  accuracy: number;
  balanced_accuracy: number;
  mcc: number;
  confusion: number[][] | null;
}

const within = 1e-12;

describe('the recorded results of scikit-learn', () => {
  const cases = goldenJson<Case[]>('metrics.json');

  it.each(cases.map((recorded, number) => [number, recorded] as const))('case %i', (_, recorded) => {
    const { labels, predictions } = recorded;
    const close = (actual: number, expected: number): void => expect(Math.abs(actual - expected)).toBeLessThan(within);
    close(accuracyScore(labels, predictions), recorded.accuracy);
    close(balancedAccuracyScore(labels, predictions), recorded.balanced_accuracy);
    close(matthewsCorrcoef(labels, predictions), recorded.mcc);
    for (const average of ['macro', 'micro', 'weighted'] as const) {
      close(precisionScore(labels, predictions, { average }), recorded[`precision_${average}`]);
      close(recallScore(labels, predictions, { average }), recorded[`recall_${average}`]);
      close(f1Score(labels, predictions, { average }), recorded[`f1_${average}`]);
    }
    if (recorded.confusion !== null) {
      const all = recorded.confusion.map((_row, label) => label);
      expect(confusionMatrix(labels, predictions, { labels: all })).toEqual(recorded.confusion);
    }
  });
});
