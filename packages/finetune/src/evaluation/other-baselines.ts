import type { TextDataset } from '@qlora-js/data';
import { bagOfWordsLogisticRegression, meanSquaredError, multilabelMetrics } from '@qlora-js/metrics';
import type { Baselines } from './baseline-figures';

/** Labels beyond which a regression for each takes longer than it tells. */
const MOST_LABELS = 200;

/** What a model of numbers or of several labels a text has to beat. */
export function otherBaselines(data: TextDataset): Baselines {
  if (data.task === 'multi_label_classification') return tagBaselines(data);
  const [learnt, right] = [data.train, data.test].map((rows) => rows.column('label').map(Number));
  const mean = learnt!.reduce((sum, value) => sum + value, 0) / learnt!.length;
  return { mean: meanSquaredError(right!, right!.map(() => mean)) }; // prettier-ignore
}

function tagBaselines({ train, test, labelMap }: TextDataset): Baselines {
  const { names } = labelMap!;
  if (names.length > MOST_LABELS) return {};
  const has = (rows: TextDataset['train'], name: string): number[] =>
    rows.column('label').map((labels) => ((labels as readonly string[]).includes(name) ? 1 : 0));
  const texts = { trainTexts: [...train.column('text')], testTexts: [...test.column('text')] };
  const columns = names.map((name) => {
    const trainLabels = has(train, name);
    const testLabels = has(test, name);
    const [first] = trainLabels;
    // There is nothing to tell apart: what all training rows say is the answer.
    const predicted = trainLabels.every((label) => label === first)
      ? testLabels.map(() => first!)
      : bagOfWordsLogisticRegression({ ...texts, trainLabels, testLabels, numClasses: 2 }).predictions;
    return { testLabels, predicted: Array.from(predicted) };
  });
  const byRow = (column: (index: number) => readonly number[]): number[][] =>
    texts.testTexts.map((_text, row) => names.map((_name, id) => column(id)[row]!));
  const { f1 } = multilabelMetrics(
    byRow((id) => columns[id]!.testLabels),
    byRow((id) => columns[id]!.predicted),
  );
  return { bag_of_words: f1.micro };
}
