import { bootstrapFromConfusion, type ConfidenceInterval, type ConfusionMetrics } from '@qlora-js/metrics';
import type { FineTuneContext } from '../run/context';
import type { TrainedAdapter } from '../training/train-adapter';

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

/** Labels the test rows. */
export async function testMetrics(
  { splits, data, settings }: FineTuneContext,
  { trainer }: TrainedAdapter,
): Promise<TestMetrics> {
  const { loss, confusion, rows } = await trainer.evaluation(splits.test);
  const size = data.labelMap!.size;
  const matrix = Array.from({ length: size }, (_, row) => [...confusion.subarray(row * size, (row + 1) * size)]);
  const interval = (metric: (metrics: ConfusionMetrics) => number): Interval =>
    bounds(bootstrapFromConfusion({ confusion: matrix, metric, seed: settings.seed }));
  return {
    rows,
    loss,
    accuracy: interval((metrics) => metrics.accuracy),
    f1: interval((metrics) => metrics.f1.weighted),
    f1_macro: interval((metrics) => metrics.f1.macro),
    confusion: matrix,
  };
}

function bounds({ estimate, low, high }: ConfidenceInterval): Interval {
  return { estimate, low, high };
}
