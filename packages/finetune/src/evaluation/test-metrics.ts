import type { LearnedTask } from '@qlora-js/trainer';
import type { FineTuneContext } from '../run/context';
import { headLabels } from '../task/head';
import { DEFAULT_THRESHOLD, outputsOf } from '../task/outputs';
import type { TrainedAdapter } from '../training/trained-adapter';
import { mostProbable, scoreRows } from './score';
import type { Scores } from './scores';

/** What the test rows say about an adapter. */
export interface TestMetrics extends Scores {
  /** What was learnt. */
  readonly task: LearnedTask;
  /** Rows that were answered. */
  readonly rows: number;
  /** Mean loss: cross-entropy, binary cross-entropy, or the squared error. */
  readonly loss: number;
}

/** What an adapter says of each test row, in the rows' order. */
export interface TestPredictions {
  /** Ids of the right labels. */
  readonly truth: readonly number[];
  /** Ids of the labels that it gives. */
  readonly predicted: readonly number[];
  /** How probable it holds them to be, 0 to 1. */
  readonly confidence: readonly number[];
}

/** The test rows' figures, and what they are figures of. */
export interface TestedAdapter {
  /** Figures of all rows. */
  readonly metrics: TestMetrics;
  /** Row by row; of one label a text alone. */
  readonly predictions: TestPredictions | undefined;
}

/** Answers the test rows. */
export async function testAdapter(
  { splits, data, settings: { seed } }: FineTuneContext,
  { trainer }: TrainedAdapter,
): Promise<TestedAdapter> {
  const { task } = data;
  const { metrics, predictions: logits, labelIds: truth } = await trainer.predict(splits.test);
  const { names } = headLabels(data);
  const outputs = outputsOf(task, logits, names.length);
  const scores = await scoreRows(task, { names, truth, outputs, threshold: DEFAULT_THRESHOLD, seed });
  const rows = splits.test.numRows;
  const tested: TestMetrics = { task, rows, loss: metrics['test_loss']!, ...scores };
  if (task !== 'single_label_classification') return { metrics: tested, predictions: undefined };
  const { ids, probabilities } = mostProbable(outputs, names.length);
  return { metrics: tested, predictions: { truth: [...truth], predicted: ids, confidence: probabilities } };
}
