import type { TextDataset } from '@qlora-js/data';
import { bagOfWordsLogisticRegression, majorityClassBaseline } from '@qlora-js/metrics';

/** What costs nothing, on the test rows; which of them there are depends on the task. */
export interface Baselines {
  /** Accuracy of the most frequent label, always. */
  readonly majority_class?: number;
  /** Logistic regression over counted words: accuracy, or micro F1 of one regression for each of several labels. */
  readonly bag_of_words?: number;
  /** Mean squared error of the training rows' mean, always. */
  readonly mean?: number;
  /** Perplexity of a language model's base without the adapter. */
  readonly base_perplexity?: number;
}

/** What a model has to beat on the same rows. */
export async function baselines(data: TextDataset): Promise<Baselines> {
  if (data.task !== 'single_label_classification') return (await import('./other-baselines')).otherBaselines(data);
  const { train, test, labelMap } = data;
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
