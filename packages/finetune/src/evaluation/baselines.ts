import type { TextDataset } from '@qlora-js/data';
import { bagOfWordsLogisticRegression, majorityClassBaseline } from '@qlora-js/metrics';

/** Test accuracies of what costs nothing. */
export interface BaselineAccuracies {
  /** Always the most frequent label. */
  readonly majority_class: number;
  /** Logistic regression over counted words. */
  readonly bag_of_words: number;
}

/** What a model has to beat on the same rows. */
export function baselineAccuracies({ train, test, labelMap }: TextDataset): BaselineAccuracies {
  const ids = (rows: TextDataset['train']): number[] =>
    rows.column('label').map((label) => labelMap!.id(label as string));
  const trainLabels = ids(train);
  const testLabels = ids(test);
  const words = bagOfWordsLogisticRegression({
    trainTexts: [...train.column('text')],
    trainLabels,
    testTexts: [...test.column('text')],
    testLabels,
    numClasses: labelMap!.size,
  });
  return { majority_class: majorityClassBaseline(trainLabels, testLabels).accuracy, bag_of_words: words.accuracy };
}
