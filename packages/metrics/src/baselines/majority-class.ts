import { metricsFromConfusion } from '../from-confusion';
import { confusionMatrix } from '../confusion-matrix';
import { checkLabels, compareLabels, type Label, type Labels } from '../labels';

export interface MajorityClassResult {
  /** The most frequent training label; the smallest one where several are. */
  label: Label;
  /** Share of the training samples that have it. */
  trainShare: number;
  accuracy: number;
  macroF1: number;
}

/**
 * What always predicting the most frequent training label scores on the test labels;
 * sklearn.dummy.DummyClassifier(strategy='most_frequent').
 *
 * @throws MetricsError EMPTY, INVALID_LABEL
 */
export function majorityClassBaseline(trainLabels: Labels, testLabels: Labels): MajorityClassResult {
  checkLabels(trainLabels, 'training label');
  checkLabels(testLabels, 'test label');
  const counts = new Map<Label, number>();
  for (let i = 0; i < trainLabels.length; i++) {
    counts.set(trainLabels[i]!, (counts.get(trainLabels[i]!) ?? 0) + 1);
  }
  const [label, count] = [...counts].reduce((best, other) => {
    if (other[1] !== best[1]) return other[1] > best[1] ? other : best;
    return compareLabels(other[0], best[0]) < 0 ? other : best;
  });
  const predicted = new Array<Label>(testLabels.length).fill(label) as Labels;
  const { accuracy, f1 } = metricsFromConfusion(confusionMatrix(testLabels, predicted));
  return { label, trainShare: count / trainLabels.length, accuracy, macroF1: f1.macro };
}
