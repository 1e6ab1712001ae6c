import { MetricsError, shown } from './errors';
import { mean, sum } from './summation';

/**
 * Mean of the squared differences; sklearn.metrics.mean_squared_error.
 *
 * @throws MetricsError EMPTY, LENGTH_MISMATCH, INVALID_SCORES with the position of what is no finite number
 */
export function meanSquaredError(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  return mean(differences(truth, predicted).map((difference) => difference ** 2));
}

/** Root of the mean of the squared differences; sklearn.metrics.root_mean_squared_error. @throws MetricsError as meanSquaredError */
export function rootMeanSquaredError(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  return Math.sqrt(meanSquaredError(truth, predicted));
}

/** Mean of the absolute differences; sklearn.metrics.mean_absolute_error. @throws MetricsError as meanSquaredError */
export function meanAbsoluteError(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  return mean(differences(truth, predicted).map(Math.abs));
}

/**
 * Share of the variance that is explained; sklearn.metrics.r2_score: where the truth is constant, 1 for predictions that
 * are all right and else 0; NaN for a single value.
 *
 * @throws MetricsError as meanSquaredError
 */
export function r2Score(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const residual = sum(differences(truth, predicted).map((difference) => difference ** 2));
  if (truth.length < 2) return NaN;
  const total = sum(centred(truth).map((value) => value ** 2));
  if (total === 0) return residual === 0 ? 1 : 0;
  return 1 - residual / total;
}

/**
 * Correlation by values; scipy.stats.pearsonr. NaN where one side is constant.
 *
 * @throws MetricsError as meanSquaredError
 */
export function pearsonCorrelation(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkNumbers(truth, predicted);
  return correlation(truth, predicted);
}

/**
 * Correlation by ranks, equal values sharing their mean rank; scipy.stats.spearmanr. NaN where one side is constant.
 *
 * @throws MetricsError as meanSquaredError
 */
export function spearmanCorrelation(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkNumbers(truth, predicted);
  return correlation(ranks(truth), ranks(predicted));
}

function correlation(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const [a, b] = [normalised(centred(one)), normalised(centred(other))];
  // Rounding must not carry a perfect correlation past 1.
  return Math.max(-1, Math.min(1, sum(a.map((value, i) => value * b[i]!))));
}

/** Each before the product is taken, as scipy does: large values then overflow nothing. */
function normalised(values: Float64Array): Float64Array {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const length = largest * Math.sqrt(sum(values.map((value) => (value / largest) ** 2)));
  return values.map((value) => value / length);
}

function centred(values: ArrayLike<number>): Float64Array {
  const middle = mean(values);
  return Float64Array.from(values, (value) => value - middle);
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranked = new Float64Array(values.length);
  for (let first = 0; first < order.length;) {
    let end = first + 1;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let place = first; place < end; place++) ranked[order[place]!] = (first + 1 + end) / 2;
    first = end;
  }
  return ranked;
}

function differences(truth: ArrayLike<number>, predicted: ArrayLike<number>): Float64Array {
  checkNumbers(truth, predicted);
  return Float64Array.from(truth, (value, i) => value - predicted[i]!);
}

function checkNumbers(truth: ArrayLike<number>, predicted: ArrayLike<number>): void {
  if (truth.length === 0) throw new MetricsError('EMPTY', 'There are no values: pass at least one.');
  if (truth.length !== predicted.length) {
    const message = `There are ${truth.length} true values and ${predicted.length} predicted ones: pass one each.`;
    throw new MetricsError('LENGTH_MISMATCH', message, { value: predicted.length });
  }
  for (const [which, values] of Object.entries({ true: truth, predicted })) {
    for (let i = 0; i < values.length; i++) {
      const value: unknown = values[i];
      if (typeof value === 'number' && Number.isFinite(value)) continue;
      throw new MetricsError(
        'INVALID_SCORES',
        `The ${which} value at ${i} is ${shown(value)}: values are finite numbers.`,
        {
          value,
        },
      );
    }
  }
}
