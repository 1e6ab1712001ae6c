import { MetricsError, shown } from './errors';
import { type Labels } from './labels';
import { type ScoreLabelOptions, trueColumns } from './score-labels';
import { checkProbabilities, type CheckedScores, type ScoreMatrix } from './scores';
import { mean, weightedMean } from './summation';

export interface RocAucOptions extends ScoreLabelOptions {
  /** 'macro' (default), 'weighted' by support, 'micro' over all cells, 'none' (or null) for one area a class. */
  average?: 'macro' | 'weighted' | 'micro' | 'none' | null;
}

/**
 * Area under the ROC curve, each class against the rest; sklearn.metrics.roc_auc_score(multi_class='ovr').
 * The area of a class is the share of (sample of it, sample of another) pairs that its scores order rightly, equal
 * scores counting half. A class without samples, or with all of them, has no area: NaN, which 'macro' passes on and
 * 'weighted' leaves out where the class has no samples, as sklearn has it.
 *
 * @throws MetricsError INVALID_SCORES where a row is not a distribution, and as the labels are checked
 */
export function rocAucScore(
  trueLabels: Labels,
  probabilities: ScoreMatrix,
  options?: RocAucOptions & { average?: 'macro' | 'weighted' | 'micro' },
): number;
export function rocAucScore(
  trueLabels: Labels,
  probabilities: ScoreMatrix,
  options: RocAucOptions & { average: 'none' | null },
): number[];
export function rocAucScore(
  trueLabels: Labels,
  probabilities: ScoreMatrix,
  { average = 'macro', labels }: RocAucOptions = {},
): number | number[] {
  const checked = checkProbabilities(probabilities);
  const columns = trueColumns(trueLabels, checked, { labels });
  if (average === 'micro') {
    const positive = Uint8Array.from({ length: checked.data.length }, (_, cell) =>
      columns[Math.floor(cell / checked.classes)] === cell % checked.classes ? 1 : 0,
    );
    return areaUnderCurve(positive, Float64Array.from(checked.data));
  }
  const areas = Array.from({ length: checked.classes }, (_, column) => oneVersusRest(columns, checked, column));
  if (average === null || average === 'none') return areas;
  if (average === 'macro') return mean(areas);
  if (average !== 'weighted') {
    const message = `average is ${shown(average)}: pass 'macro', 'weighted', 'micro', or 'none' for one area a class.`;
    throw new MetricsError('INVALID_OPTION', message, { value: average });
  }
  const support = new Float64Array(checked.classes);
  for (const column of columns) support[column]!++;
  return weightedMean(areas, support);
}

function oneVersusRest(columns: Int32Array, { data, samples, classes }: CheckedScores, column: number): number {
  const positive = Uint8Array.from(columns, (target) => (target === column ? 1 : 0));
  return areaUnderCurve(
    positive,
    Float64Array.from({ length: samples }, (_, row) => data[row * classes + column]!),
  );
}

/** Counts of pairs are integers, so the area is exact up to its one division (below 2^53 pairs). */
function areaUnderCurve(positive: Uint8Array, scores: Float64Array): number {
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  let positives = 0;
  let negatives = 0;
  let twiceArea = 0;
  for (let i = 0; i < order.length;) {
    const score = scores[order[i]!]!;
    let tiedPositives = 0;
    let tiedNegatives = 0;
    for (; i < order.length && scores[order[i]!] === score; i++) {
      if (positive[order[i]!] === 1) tiedPositives++;
      else tiedNegatives++;
    }
    twiceArea += tiedNegatives * (2 * positives + tiedPositives);
    positives += tiedPositives;
    negatives += tiedNegatives;
  }
  return positives === 0 || negatives === 0 ? Number.NaN : twiceArea / (2 * positives * negatives);
}
