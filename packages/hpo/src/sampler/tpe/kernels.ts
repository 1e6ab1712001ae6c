import { type CategoricalDistribution, type NumericalDistribution } from '../../distribution/distribution';
import { clamp, roundHalfEven } from '../../random/float64';
import { type RandomState } from '../../random/random-state';
import { argsort } from './argsort';
import { logNormalDensity, logNormalMass, truncatedNormalQuantile } from './normal';

/** One kernel per observation and a last one for the prior, over one parameter's internal values. */
export interface Kernels {
  readonly count: number;
  /** Draws from the kernels at the given indices, one value each. */
  sample(active: Int32Array, random: RandomState): Float64Array;
  /** Adds log density (log probability, where values are discrete) of `value` under each kernel to `sums`. */
  addLogDensities(value: number, sums: Float64Array): void;
}

export interface KernelOptions {
  priorWeight: number;
  /** Keeps bandwidths above range / min(100, kernels + 1). */
  considerMagicClip: boolean;
  /** Lets the distance to the range's ends count for the outermost observations' bandwidths. */
  considerEndpoints: boolean;
}

/** Smallest bandwidth without the magic clip. */
const epsilon = 1e-12;

/**
 * Probabilities of the choices: prior weight / kernels for each, one more for the observed one, scaled to sum 1.
 * Source: optuna.samplers._tpe.parzen_estimator._ParzenEstimator._calculate_categorical_distributions.
 */
export class CategoricalKernels implements Kernels {
  readonly count: number;
  private readonly choices: number;
  /** Row-major: kernel, choice. */
  private readonly probabilities: Float64Array;

  constructor(observations: Float64Array, { choices }: CategoricalDistribution, { priorWeight }: KernelOptions) {
    this.count = observations.length + 1;
    this.choices = choices.length;
    this.probabilities = new Float64Array(this.count * choices.length);
    for (let kernel = 0; kernel < this.count; kernel++) {
      const row = this.probabilities.subarray(kernel * choices.length, (kernel + 1) * choices.length);
      row.fill(observations.length === 0 ? 1 / choices.length : priorWeight / this.count);
      if (kernel < observations.length) row[Math.trunc(observations[kernel]!)]! += 1;
      const sum = row.reduce((total, probability) => total + probability, 0);
      if (sum !== 0) row.forEach((probability, choice) => (row[choice] = probability / sum));
    }
  }

  sample(active: Int32Array, random: RandomState): Float64Array {
    const quantiles = Float64Array.from(active, () => random.random());
    return quantiles.map((quantile, i) => {
      const start = active[i]! * this.choices;
      let choice = 0;
      for (let upTo = 0; choice < this.choices - 1; choice++) {
        upTo += this.probabilities[start + choice]!;
        if (upTo >= quantile) break;
      }
      return choice;
    });
  }

  addLogDensities(value: number, sums: Float64Array): void {
    for (let kernel = 0; kernel < this.count; kernel++) {
      sums[kernel]! += Math.log(this.probabilities[kernel * this.choices + value]!);
    }
  }
}

function appended(values: Float64Array, last: number): Float64Array {
  const all = new Float64Array(values.length + 1);
  all.set(values);
  all[values.length] = last;
  return all;
}

/**
 * Bandwidth of each observation: the larger gap to its neighbours, the outermost looking only inwards (where there are
 * two or more), cut to the range's width and, by the magic clip, to a share of it.
 */
function bandwidths(means: Float64Array, low: number, high: number, options: KernelOptions): Float64Array {
  const order = argsort(means);
  const sorted = Float64Array.from(order, (index) => means[index]!);
  const last = sorted.length - 1;
  const least = options.considerMagicClip ? (high - low) / Math.min(100, 2 + sorted.length) : epsilon;
  const result = new Float64Array(sorted.length);
  for (let i = 0; i <= last; i++) {
    const below = sorted[i]! - (i === 0 ? low : sorted[i - 1]!);
    const above = (i === last ? high : sorted[i + 1]!) - sorted[i]!;
    let width = Math.max(below, above);
    if (!options.considerEndpoints && last > 0) {
      if (i === 0) width = above;
      else if (i === last) width = below;
    }
    result[order[i]!] = clamp(width, least, high - low);
  }
  return result;
}

/**
 * Normal kernels cut to the range, in the logarithm where the distribution has `log`; with a step, over the range
 * widened by half a step, a value's probability being the mass half a step around it.
 * Source: _calculate_numerical_distributions and optuna.samplers._tpe.probability_distributions.
 */
export class NumericalKernels implements Kernels {
  readonly count: number;
  private readonly distribution: NumericalDistribution;
  private readonly low: number;
  private readonly high: number;
  private readonly means: Float64Array;
  private readonly widths: Float64Array;
  /** Logarithm of each kernel's mass within the range. */
  private readonly logMasses: Float64Array;
  private readonly logWidths: Float64Array;
  private readonly logMassesByValue = new Map<number, Float64Array>();

  constructor(observations: Float64Array, distribution: NumericalDistribution, options: KernelOptions) {
    const half = (distribution.step ?? 0) / 2;
    const scale = (value: number) => (distribution.log ? Math.log(value) : value);
    this.distribution = distribution;
    const low = (this.low = scale(distribution.low - half));
    const high = (this.high = scale(distribution.high + half));
    const means = observations.map(scale);
    this.count = means.length + 1;
    this.means = appended(means, 0.5 * (low + high));
    this.widths = appended(bandwidths(means, low, high, options), high - low);
    this.logWidths = this.widths.map(Math.log);
    this.logMasses = this.means.map((mean, i) => {
      const width = this.widths[i]!;
      return logNormalMass((low - mean) / width, (high - mean) / width);
    });
  }

  sample(active: Int32Array, random: RandomState): Float64Array {
    const quantiles = Float64Array.from(active, () => random.uniform(0, 1));
    return quantiles.map((quantile, i) => {
      const mean = this.means[active[i]!]!;
      const width = this.widths[active[i]!]!;
      const z = truncatedNormalQuantile(quantile, (this.low - mean) / width, (this.high - mean) / width);
      return this.toGrid(z * width + mean);
    });
  }

  /** From the scale of the kernels to the parameter's own, on its step where it has one. */
  private toGrid(scaled: number): number {
    const { low, high, log, step } = this.distribution;
    const value = log ? Math.exp(scaled) : scaled;
    if (step === undefined) return value;
    return clamp(low + roundHalfEven((value - low) / step) * step, low, high);
  }

  addLogDensities(value: number, sums: Float64Array): void {
    const { log, step } = this.distribution;
    if (step !== undefined) {
      const logMasses = this.logMassesAt(value, step);
      for (let kernel = 0; kernel < this.count; kernel++) sums[kernel]! += logMasses[kernel]!;
      return;
    }
    // Densities over the kernels' own scale: the Jacobian of the logarithm is the same under l and g.
    const at = log ? Math.log(value) : value;
    for (let kernel = 0; kernel < this.count; kernel++) {
      const mean = this.means[kernel]!;
      const width = this.widths[kernel]!;
      const z = (at - mean) / width;
      const outside = z < (this.low - mean) / width || z > (this.high - mean) / width;
      sums[kernel]! += outside ? -Infinity : logNormalDensity(z) - this.logMasses[kernel]! - this.logWidths[kernel]!;
    }
  }

  /** Log probability of a stepped value under each kernel; few of the candidates differ, so each is computed once. */
  private logMassesAt(value: number, step: number): Float64Array {
    let logMasses = this.logMassesByValue.get(value);
    if (logMasses === undefined) {
      const scale = (x: number) => (this.distribution.log ? Math.log(x) : x);
      const [from, to] = [scale(value - step / 2), scale(value + step / 2)];
      logMasses = this.logMasses.map((logMass, kernel) => {
        const mean = this.means[kernel]!;
        const width = this.widths[kernel]!;
        return logNormalMass((from - mean) / width, (to - mean) / width) - logMass;
      });
      this.logMassesByValue.set(value, logMasses);
    }
    return logMasses;
  }
}
