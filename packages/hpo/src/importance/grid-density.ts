import { type Distribution, type NumericalDistribution, toInternal } from '../distribution/distribution';
import { roundHalfEven } from '../random/float64';
import { logNormalMass } from '../sampler/tpe/normal';
import { type FrozenTrial } from '../trial/frozen-trial';

/** Most cells that a numerical parameter's range is cut into. Source: PedAnovaImportanceEvaluator._n_steps. */
const mostCells = 50;
const priorWeight = 1;
/** Least bandwidth: 1.64 of it, 90 % of a kernel, is half a cell. */
const leastBandwidth = 0.5 / 1.64;

function cellsOf({ kind, low, high, log, step }: NumericalDistribution): number {
  if (kind === 'int' && log) return Math.min(Math.ceil(Math.log(high - low + 1) / Math.log(2)) + 1, mostCells);
  return step === undefined ? mostCells : Math.min(roundHalfEven((high - low) / step) + 1, mostCells);
}

/** How many trials used each cell of a parameter's range, or each choice. */
function countsOf(name: string, distribution: Distribution, trials: readonly FrozenTrial[]): number[] {
  const values = trials.map((trial) => toInternal(distribution, trial.params[name], name));
  if (distribution.kind === 'categorical') {
    const counts = new Array<number>(distribution.choices.length).fill(0);
    for (const value of values) counts[value]!++;
    return counts;
  }
  const cells = cellsOf(distribution);
  const counts = new Array<number>(cells).fill(0);
  const scaled = (value: number) => (distribution.log ? Math.log(value) : value);
  const [low, high] = [scaled(distribution.low), scaled(distribution.high)];
  const width = (high - low) / (cells - 1);
  // In the middle between two cells the lower one counts.
  for (const value of values) {
    counts[Math.min(Math.max(Math.ceil((scaled(value) - low) / width - 0.5), 0), cells - 1)]!++;
  }
  return counts;
}

function categoricalDensities(
  counts: readonly number[],
  observed: readonly number[],
  weights: readonly number[],
): number[] {
  const { length: choices } = counts;
  const share = priorWeight / (observed.length + 1);
  const sum = 1 + choices * share;
  return counts.map((_, choice) =>
    weights.reduce((density, weight, kernel) => {
      if (kernel === observed.length) return density + weight / choices;
      return density + weight * ((share + (observed[kernel] === choice ? 1 : 0)) / sum);
    }, 0),
  );
}

/** Scott's rule (1992, "Multivariate Density Estimation"), by the interquartile range where that is narrower. */
function bandwidthOf(observed: readonly number[], counts: readonly number[]): number {
  const weights = observed.map((cell) => counts[cell]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = observed.reduce((sum, cell, i) => sum + cell * weights[i]!, 0) / total;
  const squares = observed.reduce((sum, cell, i) => sum + (cell - mean) ** 2 * weights[i]!, 0);
  const deviation = Math.sqrt(squares / Math.max(1, total - 1));
  let upTo = 0;
  const cumulative = weights.map((weight) => (upTo += weight));
  const first = cumulative.findIndex((sum) => sum >= Math.floor(total / 4));
  const third = cumulative.findIndex((sum) => sum > Math.floor((total * 3) / 4));
  const range = observed[third < 0 ? observed.length - 1 : third]! - observed[Math.max(first, 0)]!;
  return Math.max(1.059 * Math.min(range / 1.34, deviation) * total ** -0.2, leastBandwidth);
}

function numericalDensities(
  counts: readonly number[],
  observed: readonly number[],
  weights: readonly number[],
): number[] {
  const high = counts.length - 1;
  const bandwidth = bandwidthOf(observed, counts);
  const kernels = [...observed.map((mean) => ({ mean, width: bandwidth })), { mean: high / 2, width: high + 1 }];
  return counts.map((_, cell) =>
    kernels.reduce((density, { mean, width }, kernel) => {
      const logMass = logNormalMass((cell - 0.5 - mean) / width, (cell + 0.5 - mean) / width);
      const logRange = logNormalMass((-0.5 - mean) / width, (high + 0.5 - mean) / width);
      return density + weights[kernel]! * Math.exp(logMass - logRange);
    }, 0),
  );
}

/**
 * Density of what trials used for a parameter, in each cell of its range or for each choice.
 * Source: optuna.importance._ped_anova.scott_parzen_estimator.
 */
export function gridDensities(name: string, distribution: Distribution, trials: readonly FrozenTrial[]): number[] {
  const counts = countsOf(name, distribution, trials);
  const observed = [...counts.keys()].filter((cell) => counts[cell]! > 0);
  const total = trials.length + priorWeight;
  const weights = [...observed.map((cell) => counts[cell]! / total), priorWeight / total];
  return (distribution.kind === 'categorical' ? categoricalDensities : numericalDensities)(counts, observed, weights);
}
