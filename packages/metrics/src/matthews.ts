import { countClasses, type ClassCounts } from './class-counts';
import { encodeLabels, type Labels } from './labels';
import { CompensatedSum, sum } from './summation';

/**
 * Matthews correlation coefficient over any number of classes (Gorodkin 2004); sklearn.metrics.matthews_corrcoef.
 * 0 where either side is all of one class.
 *
 * @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_LABEL
 */
export function matthewsCorrcoef(trueLabels: Labels, predictedLabels: Labels): number {
  return matthewsFromCounts(countClasses(encodeLabels(trueLabels, predictedLabels)));
}

export function matthewsFromCounts({ truePositives, predicted, actual }: ClassCounts): number {
  const samples = sum(actual);
  const covarianceBoth = sum(truePositives) * samples - dot(actual, predicted);
  const covariancePredicted = samples ** 2 - dot(predicted, predicted);
  const covarianceActual = samples ** 2 - dot(actual, actual);
  const product = covariancePredicted * covarianceActual;
  return product === 0 ? 0 : covarianceBoth / Math.sqrt(product);
}

function dot(a: Float64Array, b: Float64Array): number {
  const total = new CompensatedSum();
  for (let i = 0; i < a.length; i++) total.add(a[i]! * b[i]!);
  return total.value;
}
