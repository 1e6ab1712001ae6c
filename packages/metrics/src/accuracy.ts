import { countClasses, type ClassCounts } from './class-counts';
import { checkPair, encodeLabels, type Labels } from './labels';
import { mean } from './summation';

/**
 * Share of samples whose predicted label is the true one; sklearn.metrics.accuracy_score.
 *
 * @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_LABEL
 */
export function accuracyScore(trueLabels: Labels, predictedLabels: Labels): number {
  checkPair(trueLabels, predictedLabels);
  let correct = 0;
  for (let i = 0; i < trueLabels.length; i++) if (trueLabels[i] === predictedLabels[i]) correct++;
  return correct / trueLabels.length;
}

export interface BalancedAccuracyOptions {
  /** Rescales so that chance gives 0 and perfection 1 (NaN where the true labels are all of one class). Default false. */
  adjusted?: boolean;
}

/**
 * Mean recall over the classes that have samples; sklearn.metrics.balanced_accuracy_score. Classes that are only
 * predicted take no part in the mean.
 *
 * @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_LABEL
 */
export function balancedAccuracyScore(
  trueLabels: Labels,
  predictedLabels: Labels,
  { adjusted = false }: BalancedAccuracyOptions = {},
): number {
  return balancedAccuracyFromCounts(countClasses(encodeLabels(trueLabels, predictedLabels)), adjusted);
}

export function balancedAccuracyFromCounts({ truePositives, actual }: ClassCounts, adjusted: boolean): number {
  const recalls: number[] = [];
  for (let c = 0; c < actual.length; c++) if (actual[c]! > 0) recalls.push(truePositives[c]! / actual[c]!);
  const score = mean(recalls);
  if (!adjusted) return score;
  const chance = 1 / recalls.length;
  return (score - chance) / (1 - chance);
}
