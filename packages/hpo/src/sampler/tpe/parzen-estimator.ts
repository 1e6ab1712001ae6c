import { type Distribution, type SearchSpace } from '../../distribution/distribution';
import { HpoError } from '../../errors';
import { ownProperty } from '../../own-property';
import { type RandomState } from '../../random/random-state';
import { CategoricalKernels, type KernelOptions, type Kernels, NumericalKernels } from './kernels';
import { orderedRecord } from '../../ordered-record';

export interface ParzenEstimatorOptions extends KernelOptions {
  /** Weights of n observations, oldest first. */
  weights: (n: number) => readonly number[];
}

/** Internal values by parameter name; all of one length. */
export type Observations = Readonly<Record<string, Float64Array>>;

/** 1 for each; from 25 on, the newest 25 keep 1 and older ones ramp down to 1 / n. Source: optuna's default_weights. */
export function defaultWeights(n: number): number[] {
  const ramp = Math.max(0, n - 25);
  return Array.from({ length: n }, (_, i) => {
    if (i >= ramp) return 1;
    return ramp === 1 ? 1 / n : 1 / n + i * ((1 - 1 / n) / (ramp - 1));
  });
}

function mixtureWeights(n: number, { weights, priorWeight }: ParzenEstimatorOptions): Float64Array {
  if (n === 0) return Float64Array.of(1);
  const given = weights(n);
  const usable = given.length === n && given.every((weight) => Number.isFinite(weight) && weight >= 0);
  if (!usable || given.every((weight) => weight === 0)) {
    throw new HpoError(
      'INVALID_ARGUMENT',
      `weights(${n}) must return ${n} finite numbers of at least 0, not all of them 0`,
      { value: given },
    );
  }
  const all = Float64Array.from([...given, priorWeight]);
  const sum = all.reduce((total, weight) => total + weight, 0);
  return all.map((weight) => weight / sum);
}

function kernelsFor(values: Float64Array, distribution: Distribution, options: KernelOptions): Kernels {
  return distribution.kind === 'categorical'
    ? new CategoricalKernels(values, distribution, options)
    : new NumericalKernels(values, distribution, options);
}

/**
 * A density over a search space from observations: a mixture of one product of kernels per observation and one prior.
 * Source: optuna.samplers._tpe.parzen_estimator._ParzenEstimator (Bergstra et al. 2011, section 4; Falkner et al. 2018
 * for the product over parameters).
 */
export class ParzenEstimator {
  private readonly space: SearchSpace;
  private readonly weights: Float64Array;
  private readonly kernels: ReadonlyMap<string, Kernels>;

  constructor(observations: Observations, space: SearchSpace, options: ParzenEstimatorOptions) {
    this.space = space;
    const columns = Object.entries(space).map(
      ([name, distribution]) => [name, ownProperty(observations, name) ?? new Float64Array(), distribution] as const,
    );
    this.weights = mixtureWeights(columns[0]?.[1].length ?? 0, options);
    this.kernels = new Map(
      columns.map(([name, values, distribution]) => [name, kernelsFor(values, distribution, options)]),
    );
  }

  /** Draws `size` points: kernels first, then all categorical parameters, then the others, as Optuna orders its draws. */
  sample(random: RandomState, size: number): Observations {
    const active = random.choices(this.weights, size);
    const drawn = new Map<string, Float64Array>();
    for (const categorical of [true, false]) {
      for (const [name, kernels] of this.kernels) {
        if ((this.space[name]!.kind === 'categorical') === categorical) drawn.set(name, kernels.sample(active, random));
      }
    }
    return orderedRecord([...this.kernels.keys()].map((name) => [name, drawn.get(name)!]));
  }

  /** Logarithm of the density at each point. */
  logPdf(points: Observations): Float64Array {
    const size = Object.values(points)[0]?.length ?? 0;
    const logWeights = this.weights.map(Math.log);
    return Float64Array.from({ length: size }, (_, i) => {
      const sums = logWeights.slice();
      for (const [name, kernels] of this.kernels) kernels.addLogDensities(points[name]![i]!, sums);
      const highest = sums.reduce((a, b) => Math.max(a, b), -Infinity);
      if (highest === -Infinity) return -Infinity;
      return Math.log(sums.reduce((total, sum) => total + Math.exp(sum - highest), 0)) + highest;
    });
  }
}
