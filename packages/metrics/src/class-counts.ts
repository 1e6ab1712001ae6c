import { type EncodedLabels } from './labels';

/** What precision, recall and F need of a class, at the class' position in the list of labels. */
export interface ClassCounts {
  /** Samples of the class that were predicted as it. */
  truePositives: Float64Array;
  /** Samples predicted as the class. */
  predicted: Float64Array;
  /** Samples of the class: its support. */
  actual: Float64Array;
}

export function emptyCounts(numClasses: number): ClassCounts {
  return {
    truePositives: new Float64Array(numClasses),
    predicted: new Float64Array(numClasses),
    actual: new Float64Array(numClasses),
  };
}

/**
 * Counts over every sample, also those with one side outside the list: sklearn's multilabel_confusion_matrix does so,
 * while its confusion_matrix drops such samples.
 */
export function countClasses({ labels, trueIndex, predictedIndex }: EncodedLabels): ClassCounts {
  const counts = emptyCounts(labels.length);
  for (let i = 0; i < trueIndex.length; i++) {
    const actual = trueIndex[i]!;
    const predicted = predictedIndex[i]!;
    if (actual >= 0) counts.actual[actual]!++;
    if (predicted >= 0) counts.predicted[predicted]!++;
    if (actual >= 0 && actual === predicted) counts.truePositives[actual]!++;
  }
  return counts;
}
