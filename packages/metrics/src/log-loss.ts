import { type Labels } from './labels';
import { type ScoreLabelOptions, trueColumns } from './score-labels';
import { checkProbabilities, epsilonOf, type ScoreMatrix } from './scores';
import { CompensatedSum } from './summation';

/**
 * Mean negative logarithm of the true label's probability; sklearn.metrics.log_loss. Probabilities are clipped to
 * [eps, 1 - eps] with the epsilon of their float type (2^-52; 2^-23 where they come as a Float32Array), so that one
 * confident mistake costs 36 (16) and not infinity. Computed in float64 also for float32 input.
 *
 * @throws MetricsError INVALID_SCORES where a row is not a distribution (sklearn warns), and as the labels are checked
 */
export function logLoss(trueLabels: Labels, probabilities: ScoreMatrix, options: ScoreLabelOptions = {}): number {
  const checked = checkProbabilities(probabilities);
  const columns = trueColumns(trueLabels, checked, options);
  const epsilon = epsilonOf(checked);
  const total = new CompensatedSum();
  columns.forEach((column, sample) => {
    const probability = checked.data[sample * checked.classes + column]!;
    total.add(-Math.log(Math.min(Math.max(probability, epsilon), 1 - epsilon)));
  });
  return total.value / checked.samples;
}
