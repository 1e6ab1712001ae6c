import type { TextDataset } from '@qlora-js/data';
import { bagOfWordsLogisticRegression, majorityClassBaseline } from '@qlora-js/metrics';
import type { Baselines } from './baseline-figures';

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
