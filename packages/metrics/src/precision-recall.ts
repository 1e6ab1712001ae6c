import { countClasses, type ClassCounts } from './class-counts';
import { MetricsError, shown } from './errors';
import { encodeLabels, type Label, type Labels } from './labels';
import { mean, sum, weightedMean } from './summation';

/** How the scores of the classes become one number; sklearn's `average`. */
export type Average = 'binary' | 'macro' | 'micro' | 'weighted';

/** One score a class instead of one number; sklearn's `average=None`. */
export type NoAverage = 'none' | null;

export interface PrecisionRecallOptions<A extends Average | NoAverage = Average | NoAverage> {
  average?: A;
  /** Classes to score, in this order. Default: all that occur on either side, sorted. Not looked at by `binary`. */
  labels?: readonly Label[];
  /** The class that `binary` scores. Default 1. */
  posLabel?: Label;
  /** Score where there is nothing to divide by: 0 (default; sklearn's `warn` without the warning), 1 or NaN (left out of averages). */
  zeroDivision?: number;
}

export interface FscoreOptions<A extends Average | NoAverage = Average | NoAverage> extends PrecisionRecallOptions<A> {
  /** Weight of recall against precision in the F score, 0 to Infinity. Default 1. */
  beta?: number;
}

/** `support` counts the samples of each class; null beside averaged scores, as in sklearn. */
export interface AveragedScores {
  precision: number;
  recall: number;
  fscore: number;
  support: null;
}

/** Arrays with one entry a class, in the order of the labels. */
export interface ClassScores {
  precision: number[];
  recall: number[];
  fscore: number[];
  support: number[];
}

/**
 * sklearn.metrics.precision_recall_fscore_support, with its defaults: one score a class.
 *
 * @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_LABEL, INVALID_OPTION; UNKNOWN_LABEL where `binary`'s posLabel does
 *   not occur, INVALID_OPTION where `binary` meets more than two classes.
 */
export function precisionRecallFscoreSupport(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: FscoreOptions<Average> & { average: Average },
): AveragedScores;
export function precisionRecallFscoreSupport(
  trueLabels: Labels,
  predictedLabels: Labels,
  options?: FscoreOptions<NoAverage>,
): ClassScores;
export function precisionRecallFscoreSupport(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: FscoreOptions = {},
): AveragedScores | ClassScores {
  const { average = null, beta = 1, zeroDivision = 0 } = options;
  if (average !== 'binary') {
    const counts = countClasses(encodeLabels(trueLabels, predictedLabels, options.labels));
    return scoresFromCounts(counts, { average, beta, zeroDivision });
  }
  const posLabel = options.posLabel ?? 1;
  const { labels } = encodeLabels(trueLabels, predictedLabels);
  if (labels.length > 2) {
    const message = `average is 'binary' (the default), the labels hold ${labels.length} classes: choose 'macro', 'micro', 'weighted' or 'none'.`;
    throw new MetricsError('INVALID_OPTION', message, { value: labels.length });
  }
  if (labels.length === 2 && !labels.includes(posLabel)) {
    const message = `posLabel ${shown(posLabel)} is neither ${shown(labels[0])} nor ${shown(labels[1])}, the labels that occur.`;
    throw new MetricsError('UNKNOWN_LABEL', message, { value: posLabel });
  }
  const counts = countClasses(encodeLabels(trueLabels, predictedLabels, [posLabel]));
  return scoresFromCounts(counts, { average: 'macro', beta, zeroDivision });
}

/** The scores of classes that were counted already; `binary` is the caller's to turn into counts of one class. */
export function scoresFromCounts(
  counts: ClassCounts,
  options: { average: Exclude<Average, 'binary'> | NoAverage; beta?: number; zeroDivision?: number },
): AveragedScores | ClassScores {
  const { average, beta = 1, zeroDivision = 0 } = options;
  if (!(zeroDivision === 0 || zeroDivision === 1 || Number.isNaN(zeroDivision))) {
    throw new MetricsError('INVALID_OPTION', `zeroDivision is ${shown(zeroDivision)}: pass 0, 1 or NaN.`, {
      value: zeroDivision,
    });
  }
  if (typeof beta !== 'number' || !(beta >= 0)) {
    throw new MetricsError('INVALID_OPTION', `beta is ${shown(beta)}: pass a number of at least 0.`, { value: beta });
  }
  if (average === null || average === 'none') {
    const { precision, recall, fscore } = ratios(counts, beta, zeroDivision);
    return { precision, recall, fscore, support: [...counts.actual] };
  }
  if (average === 'micro') {
    const { precision, recall, fscore } = ratios(pooled(counts), beta, zeroDivision);
    return { precision: precision[0]!, recall: recall[0]!, fscore: fscore[0]!, support: null };
  }
  if (average !== 'macro' && average !== 'weighted') {
    const message = `average is ${shown(average)}: pass 'binary', 'macro', 'micro', 'weighted', or 'none' for one score a class.`;
    throw new MetricsError('INVALID_OPTION', message, { value: average });
  }
  const { precision, recall, fscore } = ratios(counts, beta, zeroDivision);
  const weights = average === 'weighted' ? counts.actual : undefined;
  return {
    precision: averageOf(precision, weights),
    recall: averageOf(recall, weights),
    fscore: averageOf(fscore, weights),
    support: null,
  };
}

function pooled(counts: ClassCounts): ClassCounts {
  const total = (terms: Float64Array): Float64Array => Float64Array.of(sum(terms));
  return {
    truePositives: total(counts.truePositives),
    predicted: total(counts.predicted),
    actual: total(counts.actual),
  };
}

function ratios(
  { truePositives, predicted, actual }: ClassCounts,
  beta: number,
  zeroDivision: number,
): { precision: number[]; recall: number[]; fscore: number[] } {
  const divide = (numerator: number, denominator: number): number =>
    denominator === 0 ? zeroDivision : numerator / denominator;
  const precision = Array.from(truePositives, (hits, c) => divide(hits, predicted[c]!));
  const recall = Array.from(truePositives, (hits, c) => divide(hits, actual[c]!));
  if (beta === 0) return { precision, recall, fscore: [...precision] };
  if (beta === Infinity) return { precision, recall, fscore: [...recall] };
  // Out of the counts and not out of precision and recall, as sklearn does: no division by zero twice.
  const squared = beta ** 2;
  const fscore = Array.from(truePositives, (hits, c) =>
    divide((1 + squared) * hits, squared * actual[c]! + predicted[c]!),
  );
  return { precision, recall, fscore };
}

/** sklearn's _nanaverage: NaN scores are left out, and weights that are all zero are ignored. */
function averageOf(scores: readonly number[], weights: Float64Array | undefined): number {
  const kept = scores.map((_, c) => c).filter((c) => !Number.isNaN(scores[c]!));
  const keptScores = kept.map((c) => scores[c]!);
  if (weights === undefined) return mean(keptScores);
  const keptWeights = kept.map((c) => weights[c]!);
  return keptWeights.some((weight) => weight > 0) ? weightedMean(keptScores, keptWeights) : mean(keptScores);
}

function single<K extends 'precision' | 'recall' | 'fscore'>(
  key: K,
  trueLabels: Labels,
  predictedLabels: Labels,
  options: FscoreOptions,
): number | number[] {
  const { average = 'binary', ...rest } = options;
  return average === null || average === 'none'
    ? precisionRecallFscoreSupport(trueLabels, predictedLabels, { ...rest, average })[key]
    : precisionRecallFscoreSupport(trueLabels, predictedLabels, { ...rest, average })[key];
}

/** Of the samples predicted as a class, the share that is of it; sklearn.metrics.precision_score (average 'binary' by default). */
export function precisionScore(
  trueLabels: Labels,
  predictedLabels: Labels,
  options?: PrecisionRecallOptions<Average>,
): number;
export function precisionScore(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: PrecisionRecallOptions<NoAverage> & { average: NoAverage },
): number[];
export function precisionScore(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: PrecisionRecallOptions = {},
): number | number[] {
  return single('precision', trueLabels, predictedLabels, options);
}

/** Of the samples of a class, the share predicted as it; sklearn.metrics.recall_score (average 'binary' by default). */
export function recallScore(
  trueLabels: Labels,
  predictedLabels: Labels,
  options?: PrecisionRecallOptions<Average>,
): number;
export function recallScore(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: PrecisionRecallOptions<NoAverage> & { average: NoAverage },
): number[];
export function recallScore(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: PrecisionRecallOptions = {},
): number | number[] {
  return single('recall', trueLabels, predictedLabels, options);
}

/** Harmonic mean of precision and recall; sklearn.metrics.f1_score (average 'binary' by default). */
export function f1Score(trueLabels: Labels, predictedLabels: Labels, options?: PrecisionRecallOptions<Average>): number;
export function f1Score(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: PrecisionRecallOptions<NoAverage> & { average: NoAverage },
): number[];
export function f1Score(
  trueLabels: Labels,
  predictedLabels: Labels,
  options: PrecisionRecallOptions = {},
): number | number[] {
  return single('fscore', trueLabels, predictedLabels, options);
}
