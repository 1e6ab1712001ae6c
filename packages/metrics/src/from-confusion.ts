import { balancedAccuracyFromCounts } from './accuracy';
import { emptyCounts, type ClassCounts } from './class-counts';
import { MetricsError, shown } from './errors';
import { matthewsFromCounts } from './matthews';
import { type AveragedScores, type ClassScores, scoresFromCounts } from './precision-recall';
import { sum } from './summation';

/** Row: true class, column: predicted class; as rows, or flat in row-major order (as a device gives it back). */
export type ConfusionCounts = readonly ArrayLike<number>[] | ArrayLike<number>;

export interface ConfusionMetricsOptions {
  /** Score where there is nothing to divide by: 0 (default), 1 or NaN. */
  zeroDivision?: number;
  /**
   * Classes that 'macro' averages over: 'present' (default: those with a true or a predicted sample, which is what
   * sklearn does with label arrays) or 'all' rows of the matrix.
   */
  classes?: 'present' | 'all';
}

export interface ScoreByAverage {
  macro: number;
  micro: number;
  weighted: number;
}

export interface ConfusionMetrics {
  samples: number;
  accuracy: number;
  balancedAccuracy: number;
  precision: ScoreByAverage;
  recall: ScoreByAverage;
  f1: ScoreByAverage;
  matthewsCorrcoef: number;
  /** One entry a row of the matrix, whatever `classes` says. */
  perClass: ClassScores;
  /** Rows without samples: their recall is `zeroDivision`. */
  classesWithoutSamples: number[];
  /** Columns without predictions: their precision is `zeroDivision`. */
  classesNeverPredicted: number[];
}

/**
 * Every metric that a confusion matrix determines: for evaluations that add up counts on the device and read back
 * integers. Equal to the functions on label arrays (sklearn's results) for the same samples.
 *
 * @param matrix square, [classes, classes], counts
 * @throws MetricsError LENGTH_MISMATCH where it is not square, INVALID_COUNTS with row and column for anything but a
 *   non-negative integer, EMPTY where it counts no sample
 */
export function metricsFromConfusion(
  matrix: ConfusionCounts,
  { zeroDivision = 0, classes = 'present' }: ConfusionMetricsOptions = {},
): ConfusionMetrics {
  if (classes !== 'present' && classes !== 'all') {
    throw new MetricsError('INVALID_OPTION', `classes is ${shown(classes)}: pass 'present' or 'all'.`, {
      value: classes,
    });
  }
  return metricsFromCounts(countsOfMatrix(flatMatrix(matrix)), { zeroDivision, classes });
}

export function metricsFromCounts(
  counts: ClassCounts,
  { zeroDivision, classes }: Required<ConfusionMetricsOptions>,
): ConfusionMetrics {
  const averaged = classes === 'all' ? counts : onlyPresent(counts);
  const macro = scoresFromCounts(averaged, { average: 'macro', zeroDivision }) as AveragedScores;
  const micro = scoresFromCounts(averaged, { average: 'micro', zeroDivision }) as AveragedScores;
  const weighted = scoresFromCounts(averaged, { average: 'weighted', zeroDivision }) as AveragedScores;
  const by = (key: 'precision' | 'recall' | 'fscore'): ScoreByAverage => ({
    macro: macro[key],
    micro: micro[key],
    weighted: weighted[key],
  });
  const samples = sum(counts.actual);
  return {
    samples,
    accuracy: sum(counts.truePositives) / samples,
    balancedAccuracy: balancedAccuracyFromCounts(counts, false),
    precision: by('precision'),
    recall: by('recall'),
    f1: by('fscore'),
    matthewsCorrcoef: matthewsFromCounts(counts),
    perClass: scoresFromCounts(counts, { average: 'none', zeroDivision }) as ClassScores,
    classesWithoutSamples: zerosOf(counts.actual),
    classesNeverPredicted: zerosOf(counts.predicted),
  };
}

function zerosOf(counts: Float64Array): number[] {
  return [...counts.keys()].filter((c) => counts[c] === 0);
}

function onlyPresent({ truePositives, predicted, actual }: ClassCounts): ClassCounts {
  const present = (_: number, c: number): boolean => actual[c]! > 0 || predicted[c]! > 0;
  return {
    truePositives: truePositives.filter(present),
    predicted: predicted.filter(present),
    actual: actual.filter(present),
  };
}

/** Row-major copy of a matrix after its check. */
export function flatMatrix(matrix: ConfusionCounts): Float64Array {
  const rows =
    matrix.length > 0 && typeof matrix[0] === 'object' ? (matrix as readonly ArrayLike<number>[]) : undefined;
  const size = rows ? rows.length : Math.sqrt(matrix.length);
  if (!Number.isInteger(size)) {
    const message = `A flat matrix of ${matrix.length} counts is not square: pass classes * classes of them.`;
    throw new MetricsError('LENGTH_MISMATCH', message, { value: matrix.length });
  }
  const flat = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const cells = rows?.[row];
    if (rows && cells?.length !== size) {
      const message = `Row ${row} of the matrix holds ${cells?.length} counts, there are ${size} rows: the matrix is square.`;
      throw new MetricsError('LENGTH_MISMATCH', message, { value: cells?.length });
    }
    for (let column = 0; column < size; column++) {
      const count: unknown = cells ? cells[column] : matrix[row * size + column];
      if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) {
        const message = `The count in row ${row}, column ${column} is ${shown(count)}: counts are integers of at least 0.`;
        throw new MetricsError('INVALID_COUNTS', message, { value: count });
      }
      flat[row * size + column] = count;
    }
  }
  if (!flat.some((count) => count > 0))
    throw new MetricsError('EMPTY', `The matrix of ${size} classes counts no sample.`);
  return flat;
}

/** The sums over rows and columns of a checked row-major matrix. */
function countsOfMatrix(flat: Float64Array): ClassCounts {
  const size = Math.sqrt(flat.length);
  const counts = emptyCounts(size);
  for (let row = 0; row < size; row++) {
    counts.truePositives[row] = flat[row * size + row]!;
    for (let column = 0; column < size; column++) {
      const count = flat[row * size + column]!;
      counts.actual[row]! += count;
      counts.predicted[column]! += count;
    }
  }
  return counts;
}
