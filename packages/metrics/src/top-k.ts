import { checkedInteger } from './errors';
import { type Labels } from './labels';
import { type ScoreLabelOptions, trueColumns } from './score-labels';
import { checkScores, type ScoreMatrix } from './scores';

export interface TopKOptions extends ScoreLabelOptions {
  /** How many of the best classes count as a hit. Default 2, sklearn's. */
  k?: number;
}

/**
 * Share of samples whose true label is among the k best scores; sklearn.metrics.top_k_accuracy_score for matrices. Of equal
 * scores the later column ranks higher, which is sklearn's order (argmax takes the earlier one).
 *
 * @throws MetricsError as scores and labels are checked; INVALID_OPTION where k is not an integer from 1 to the number of
 *   classes less one (with all of them, every prediction would be a hit)
 */
export function topKAccuracyScore(
  trueLabels: Labels,
  scores: ScoreMatrix,
  { k = 2, labels }: TopKOptions = {},
): number {
  const checked = checkScores(scores);
  const columns = trueColumns(trueLabels, checked, { labels });
  checkedInteger('k', k, 1, Math.max(1, checked.classes - 1));
  const { data, samples, classes } = checked;
  let hits = 0;
  for (let sample = 0; sample < samples; sample++) {
    const start = sample * classes;
    const target = columns[sample]!;
    const score = data[start + target]!;
    let better = 0;
    for (let column = 0; column < classes; column++) {
      const other = data[start + column]!;
      if (other > score || (other === score && column > target)) better++;
    }
    if (better < k) hits++;
  }
  return hits / samples;
}
