import { emptyCounts, type ClassCounts } from './class-counts';
import { MetricsError, shown } from './errors';
import type { ScoreByAverage } from './from-confusion';
import { scoresFromCounts, type AveragedScores, type ClassScores } from './precision-recall';
import { checkScores, type DenseScores, type ScoreMatrix } from './scores';

/** Scores by how they are averaged; `samples` is the mean of each row's own score. */
export interface MultilabelScoreByAverage extends ScoreByAverage {
  samples: number;
}

/** What predictions of several labels a row come to. */
export interface MultilabelMetrics {
  /** Rows. */
  samples: number;
  /** Share of rows with every label right; sklearn.metrics.accuracy_score on indicator matrices. */
  accuracy: number;
  /** Share of single decisions that are wrong; sklearn.metrics.hamming_loss. */
  hammingLoss: number;
  precision: MultilabelScoreByAverage;
  recall: MultilabelScoreByAverage;
  f1: MultilabelScoreByAverage;
  /** One entry a label. */
  perLabel: ClassScores;
}

/** How decisions are scored. */
export interface MultilabelOptions {
  /** Score where there is nothing to divide by: 0 (default), 1 or NaN. */
  zeroDivision?: number;
}

/**
 * 1 where a score is above the threshold, else 0; sklearn.preprocessing.binarize. The default, 0, is a probability of
 * one half where the scores are logits.
 *
 * @throws MetricsError INVALID_OPTION, and as the scores' check
 */
export function binarize(
  scores: ScoreMatrix,
  { threshold = 0 }: { readonly threshold?: number } = {},
): DenseScores<Uint8Array> {
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw new MetricsError('INVALID_OPTION', `threshold is ${shown(threshold)}: pass a number.`, { value: threshold });
  }
  const { data, shape } = checkScores(scores);
  return { data: Uint8Array.from(data, (score) => (score > threshold ? 1 : 0)), shape };
}

/**
 * Scores of several labels a row, as scikit-learn computes them on indicator matrices.
 *
 * @param truth 0 or 1 a row and label
 * @param predicted the same shape, as `binarize` makes it
 * @throws MetricsError EMPTY, LENGTH_MISMATCH for other shapes, INVALID_LABEL with row and column for what is neither 0 nor 1
 */
export function multilabelMetrics(
  truth: ScoreMatrix,
  predicted: ScoreMatrix,
  { zeroDivision = 0 }: MultilabelOptions = {},
): MultilabelMetrics {
  const actual = checkIndicators('true', truth);
  const chosen = checkIndicators('predicted', predicted);
  const [rows, labels] = actual.shape;
  if (chosen.shape.join() !== actual.shape.join()) {
    const message = `There are [${actual.shape.join(', ')}] true labels and [${chosen.shape.join(', ')}] predicted ones: pass the same rows and labels.`;
    throw new MetricsError('LENGTH_MISMATCH', message, { value: chosen.shape });
  }
  const byLabel = emptyCounts(labels);
  const byRow = emptyCounts(rows);
  let wrong = 0;
  let exact = 0;
  for (let row = 0; row < rows; row++) {
    let differing = 0;
    for (let label = 0; label < labels; label++) {
      const is = actual.data[row * labels + label]!;
      const said = chosen.data[row * labels + label]!;
      count(byLabel, label, is, said);
      count(byRow, row, is, said);
      if (is !== said) differing++;
    }
    wrong += differing;
    if (differing === 0) exact++;
  }
  const averaged = (counts: ClassCounts, average: 'macro' | 'micro' | 'weighted'): AveragedScores =>
    scoresFromCounts(counts, { average, zeroDivision }) as AveragedScores;
  const [macro, micro, weighted, samples] = [
    averaged(byLabel, 'macro'),
    averaged(byLabel, 'micro'),
    averaged(byLabel, 'weighted'),
    averaged(byRow, 'macro'),
  ];
  const by = (key: 'precision' | 'recall' | 'fscore'): MultilabelScoreByAverage => ({
    macro: macro[key],
    micro: micro[key],
    weighted: weighted[key],
    samples: samples[key],
  });
  return {
    samples: rows,
    accuracy: exact / rows,
    hammingLoss: wrong / (rows * labels),
    precision: by('precision'),
    recall: by('recall'),
    f1: by('fscore'),
    perLabel: scoresFromCounts(byLabel, { average: 'none', zeroDivision }) as ClassScores,
  };
}

function count(counts: ClassCounts, place: number, actual: number, predicted: number): void {
  counts.actual[place]! += actual;
  counts.predicted[place]! += predicted;
  counts.truePositives[place]! += actual * predicted;
}

function checkIndicators(which: 'true' | 'predicted', given: ScoreMatrix): DenseScores {
  const { data, shape, classes } = checkScores(given);
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0 || data[i] === 1) continue;
    const message = `The ${which} label in row ${Math.floor(i / classes)}, column ${i % classes} is ${shown(data[i])}: indicators are 0 or 1.`;
    throw new MetricsError('INVALID_LABEL', message, { value: data[i] });
  }
  return { data, shape };
}
