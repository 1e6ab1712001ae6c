import {
  bootstrapFromConfusion,
  confusionMatrix,
  type ConfidenceInterval,
  type ConfusionMetrics,
} from '@qlora-js/metrics';
import type { FineTuneContext } from '../run/context';
import type { TrainedAdapter } from '../training/trained-adapter';

/** A figure and the interval that 95 of 100 resamples of the test rows fall into. */
export interface Interval {
  /** The figure. */
  readonly estimate: number;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** What the test rows say about an adapter. */
export interface TestMetrics {
  /** Rows that were labelled. */
  readonly rows: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Share of rows with the right label. */
  readonly accuracy: Interval;
  /** F1, classes weighted by their rows. */
  readonly f1: Interval;
  /** F1, every class counting alike. */
  readonly f1_macro: Interval;
  /** Rows by true label, then by predicted label, in the order of ids. */
  readonly confusion: readonly (readonly number[])[];
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
  /** Row by row. */
  readonly predictions: TestPredictions;
}

/** Labels the test rows. */
export async function testAdapter(
  { splits, data, settings }: FineTuneContext,
  { trainer }: TrainedAdapter,
): Promise<TestedAdapter> {
  const { metrics, predictions: logits, labelIds } = await trainer.predict(splits.test);
  const size = data.labelMap!.size;
  const truth = [...labelIds];
  const rows = truth.map((_label, row) => mostProbable(logits.subarray(row * size, (row + 1) * size)));
  const predicted = rows.map(({ id }) => id);
  const confusion = confusionMatrix(truth, predicted, { labels: Array.from({ length: size }, (_, id) => id) });
  const interval = (metric: (metrics: ConfusionMetrics) => number): Interval =>
    bounds(bootstrapFromConfusion({ confusion, metric, seed: settings.seed }));
  return {
    metrics: {
      rows: truth.length,
      loss: metrics['test_loss']!,
      accuracy: interval((counts) => counts.accuracy),
      f1: interval((counts) => counts.f1.weighted),
      f1_macro: interval((counts) => counts.f1.macro),
      confusion,
    },
    predictions: { truth, predicted, confidence: rows.map(({ probability }) => probability) },
  };
}

function mostProbable(logits: Float32Array): { readonly id: number; readonly probability: number } {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return { id: logits.indexOf(largest), probability: 1 / sum };
}

function bounds({ estimate, low, high }: ConfidenceInterval): Interval {
  return { estimate, low, high };
}
