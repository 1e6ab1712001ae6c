import { emptyCounts } from './class-counts';
import { checkedInteger, MetricsError, shown } from './errors';
import {
  type ConfusionCounts,
  type ConfusionMetrics,
  type ConfusionMetricsOptions,
  flatMatrix,
  metricsFromConfusion,
  metricsFromCounts,
} from './from-confusion';
import { type Labels } from './labels';
import { SeededRandom } from './random';
import { type DenseScores, type ScoreMatrix } from './scores';
import { mean, sum } from './summation';

export interface BootstrapSettings {
  /** How often to draw. Default 1000: the ends of a 95 % interval then rest on 25 resamples each. */
  resamples?: number;
  /** Share of resamples inside the interval, between 0 and 1. Default 0.95. */
  confidenceLevel?: number;
  /** Integer from 0 to 2^32 - 1; the same seed gives the same interval everywhere. Default 0. */
  seed?: number;
}

export interface ConfidenceInterval {
  /** The metric on the samples themselves. */
  estimate: number;
  low: number;
  high: number;
  /** Standard deviation of the metric over the resamples. */
  standardError: number;
  confidenceLevel: number;
  resamples: number;
  /** Resamples on which the metric was NaN (say, no sample of a class was drawn); they count in nothing above. */
  undefinedResamples: number;
}

/** Something with one entry a sample: labels, rows of scores, or dense scores (a row a sample). */
export type Column = Labels | ScoreMatrix;

/**
 * Percentile bootstrap (Efron and Tibshirani 1993, chapter 13; scipy.stats.bootstrap with method='percentile' and
 * paired=True): draws as many samples as there are, with replacement and the same ones from each column, computes the
 * metric on them, and takes the quantiles of the results, interpolated linearly as numpy does.
 *
 * `bootstrapConfidenceInterval({ data: [trueLabels, probabilities], metric: (y, p) => logLoss(y, p) })`
 *
 * @throws MetricsError EMPTY or LENGTH_MISMATCH for columns, INVALID_OPTION for settings or a metric that is NaN on the
 *   samples themselves; what the metric throws passes through
 */
export function bootstrapConfidenceInterval<Data extends readonly [Column, ...Column[]]>(
  options: BootstrapSettings & { data: Data; metric: (...columns: Data) => number },
): ConfidenceInterval {
  const { data, metric } = options;
  const sizes = data.map((column) => ('shape' in column ? column.shape[0] : column.length));
  const size = sizes[0]!;
  if (size === 0) throw new MetricsError('EMPTY', 'The columns hold no sample: pass at least one.');
  if (sizes.some((other) => other !== size)) {
    throw new MetricsError('LENGTH_MISMATCH', `The columns hold ${sizes.join(', ')} samples: pass equally many.`, {
      value: sizes,
    });
  }
  return interval(metric(...data), options, (random) => {
    const rows = Uint32Array.from({ length: size }, () => random.nextBelow(size));
    return metric(...(data.map((column) => take(column, rows)) as unknown as Data));
  });
}

/**
 * The same bootstrap over the samples that a confusion matrix counts, for any number that `metricsFromConfusion` gives:
 * `bootstrapFromConfusion({ confusion, metric: (m) => m.f1.macro })`. Drawing a sample is drawing a cell by its count, and
 * only row and column sums are kept, so it costs a fraction of going through label arrays.
 *
 * @throws MetricsError as metricsFromConfusion and bootstrapConfidenceInterval
 */
export function bootstrapFromConfusion(
  options: BootstrapSettings &
    ConfusionMetricsOptions & { confusion: ConfusionCounts; metric: (metrics: ConfusionMetrics) => number },
): ConfidenceInterval {
  const { confusion, metric, zeroDivision = 0, classes = 'present' } = options;
  const estimate = metric(metricsFromConfusion(confusion, { zeroDivision, classes }));
  const flat = flatMatrix(confusion);
  const size = Math.sqrt(flat.length);
  const cells = cellOfEachSample(flat);
  return interval(estimate, options, (random) => {
    const counts = emptyCounts(size);
    for (let drawn = 0; drawn < cells.length; drawn++) {
      const cell = cells[random.nextBelow(cells.length)]!;
      const row = Math.floor(cell / size);
      const column = cell % size;
      counts.actual[row]!++;
      counts.predicted[column]!++;
      if (row === column) counts.truePositives[row]!++;
    }
    return metric(metricsFromCounts(counts, { zeroDivision, classes }));
  });
}

/** More samples than this would be gigabytes of cells, and an interval far narrower than any use of it. */
const MOST_SAMPLES = 2 ** 27;

function cellOfEachSample(flat: Float64Array): Uint32Array {
  const samples = sum(flat);
  if (samples > MOST_SAMPLES) {
    const message = `The matrix counts ${samples} samples: a bootstrap takes up to ${MOST_SAMPLES}.`;
    throw new MetricsError('INVALID_COUNTS', message, { value: samples });
  }
  const cells = new Uint32Array(samples);
  let filled = 0;
  flat.forEach((count, cell) => {
    cells.fill(cell, filled, filled + count);
    filled += count;
  });
  return cells;
}

function interval(
  estimate: number,
  { resamples = 1000, confidenceLevel = 0.95, seed = 0 }: BootstrapSettings,
  draw: (random: SeededRandom) => number,
): ConfidenceInterval {
  checkedInteger('resamples', resamples, 1, 10_000_000);
  if (!(confidenceLevel > 0 && confidenceLevel < 1)) {
    const message = `confidenceLevel is ${shown(confidenceLevel)}: pass a number between 0 and 1, such as 0.95.`;
    throw new MetricsError('INVALID_OPTION', message, { value: confidenceLevel });
  }
  if (typeof estimate !== 'number' || Number.isNaN(estimate)) {
    const message = `The metric is ${shown(estimate)} on the samples themselves: there is nothing to put an interval around.`;
    throw new MetricsError('INVALID_OPTION', message, { value: estimate });
  }
  const random = new SeededRandom(seed);
  const drawn = Float64Array.from({ length: resamples }, () => draw(random));
  const values = drawn.filter((value) => !Number.isNaN(value)).sort();
  const tail = (1 - confidenceLevel) / 2;
  return {
    estimate,
    low: quantile(values, tail),
    high: quantile(values, 1 - tail),
    standardError: standardDeviation(values),
    confidenceLevel,
    resamples,
    undefinedResamples: resamples - values.length,
  };
}

/** numpy.quantile's default, of sorted values; NaN of none. */
function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below === above ? below : below + (above - below) * (position - Math.floor(position));
}

/** With n - 1 below, as scipy's bootstrap reports it; NaN of fewer than two values. */
function standardDeviation(values: Float64Array): number {
  const centre = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}

function take(column: Column, rows: Uint32Array): Column {
  if (!('shape' in column)) return Array.from(rows, (row) => column[row]!) as Column;
  return takeDense(column, rows);
}

function takeDense({ data, shape: [, classes] }: DenseScores, rows: Uint32Array): DenseScores {
  const length = rows.length * classes;
  const taken = data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  rows.forEach((row, i) => {
    for (let column = 0; column < classes; column++) taken[i * classes + column] = data[row * classes + column]!;
  });
  return { data: taken, shape: [rows.length, classes] };
}
