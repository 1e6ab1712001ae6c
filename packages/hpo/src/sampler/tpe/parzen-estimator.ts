import { type SearchSpace } from '../../distribution/distribution';
import { HpoError } from '../../errors';
import { orderedRecord } from '../../ordered-record';
import { ownProperty } from '../../own-property';
import { type RandomState } from '../../random/random-state';
import { argsort } from './argsort';
import { CategoricalKernels } from './categorical-kernels';
import { KernelTable } from './kernel-table';
import { type DiscreteKernels, type KernelOptions, type Slots } from './kernels';
import { logMixtureDensities } from './mixture';
import { ContinuousKernels, SteppedKernels } from './numerical-kernels';

/** How a density is made from observations. */
export interface ParzenEstimatorOptions extends KernelOptions {
  /** Weights of n observations, oldest first. */
  weights: (n: number) => ArrayLike<number>;
}

/** Internal values by parameter name; all of one length. */
export type Observations = Readonly<Record<string, Float64Array>>;

/** 1 for each; from 25 on, the newest 25 keep 1 and older ones ramp down to 1 / n. Source: optuna's default_weights. */
export function defaultWeights(n: number): Float64Array {
  const ramp = Math.max(0, n - 25);
  const weights = new Float64Array(n).fill(1);
  const slope = ramp === 1 ? 0 : (1 - 1 / n) / (ramp - 1);
  for (let i = 0; i < ramp; i++) weights[i] = 1 / n + i * slope;
  return weights;
}

function mixtureWeights(n: number, { weights, priorWeight }: ParzenEstimatorOptions): Float64Array {
  if (n === 0) return Float64Array.of(1);
  const given = weights(n);
  const all = new Float64Array(n + 1);
  let sum = 0;
  let usable = given.length === n;
  for (let i = 0; i < n && usable; i++) {
    const weight = given[i]!;
    usable = Number.isFinite(weight) && weight >= 0;
    sum += all[i] = weight;
  }
  if (!usable || sum === 0) {
    throw new HpoError(
      'INVALID_ARGUMENT',
      `weights(${n}) must return ${n} finite numbers of at least 0, not all of them 0`,
      { place: 'weights', value: given },
    );
  }
  sum += all[n] = priorWeight;
  for (let i = 0; i <= n; i++) all[i]! /= sum;
  return all;
}

/** A parameter and its kernels. */
export interface KernelColumn {
  name: string;
  kernels: CategoricalKernels | ContinuousKernels | SteppedKernels;
}

/**
 * A density over a search space from observations: a mixture of one product of kernels per observation and one prior.
 * Source: optuna.samplers._tpe.parzen_estimator._ParzenEstimator (Bergstra et al. 2011, section 4; Falkner et al. 2018
 * for the product over parameters).
 */
export class ParzenEstimator {
  /** Slots of the observations, and last that of the prior. */
  private readonly slots: Int32Array;
  /** Weights of the slots. */
  private readonly weights: Float64Array;

  constructor(
    private readonly columns: readonly KernelColumn[],
    private readonly table: KernelTable,
    { members, prior }: Slots,
    options: ParzenEstimatorOptions,
  ) {
    this.slots = new Int32Array(members.length + 1);
    this.slots.set(members);
    this.slots[members.length] = prior;
    this.weights = mixtureWeights(members.length, options);
  }

  /** The density from lists of observations. */
  static of(observations: Observations, space: SearchSpace, options: ParzenEstimatorOptions): ParzenEstimator {
    const count = Object.values(observations)[0]?.length ?? 0;
    const slots: Slots = { members: Int32Array.from({ length: count }, (_, i) => i), prior: count };
    const table = new KernelTable(continuousOf(space));
    let numerical = 0;
    const columns = Object.entries(space).map(([name, distribution]): KernelColumn => {
      const values = new Float64Array(count + 1);
      values.set(ownProperty(observations, name) ?? []);
      if (distribution.kind === 'categorical') {
        return { name, kernels: new CategoricalKernels(values, distribution, slots, options) };
      }
      const means = distribution.log ? values.map(Math.log) : values;
      const order = argsort(means.subarray(0, count));
      const known = { means, order, store: table.column(numerical++), lasting: 0 };
      return { name, kernels: numericalKernels(distribution, known, slots, options) };
    });
    return new ParzenEstimator(columns, table, slots, options);
  }

  /** Draws `size` points: kernels first, then all categorical parameters, then the others, as Optuna orders its draws. */
  sample(random: RandomState, size: number): Observations {
    const active = random.choices(this.weights, size).map((kernel) => this.slots[kernel]!);
    const drawn = new Map<string, Float64Array>();
    for (const categorical of [true, false]) {
      for (const { name, kernels } of this.columns) {
        if (kernels instanceof CategoricalKernels === categorical) drawn.set(name, kernels.sample(active, random));
      }
    }
    return orderedRecord(this.columns.map(({ name }) => [name, drawn.get(name)!]));
  }

  /** Logarithm of the density at each point. */
  logPdf(points: Observations): Float64Array {
    const continuous: { kernels: ContinuousKernels; values: Float64Array }[] = [];
    const discrete: { kernels: DiscreteKernels; values: Float64Array }[] = [];
    for (const { name, kernels } of this.columns) {
      const values = points[name]!;
      if (kernels instanceof ContinuousKernels) continuous.push({ kernels, values });
      else discrete.push({ kernels, values });
    }
    const size = Object.values(points)[0]?.length ?? 0;
    const { slots, table } = this;
    return logMixtureDensities({ slots, logWeights: this.weights.map(Math.log), table, continuous, discrete, size });
  }
}

/** For each numerical parameter of a space, whether it has no step. */
export function continuousOf(space: SearchSpace): boolean[] {
  return Object.values(space).flatMap((it) => (it.kind === 'categorical' ? [] : [it.step === undefined]));
}

/** The kernels that suit a distribution. */
export function numericalKernels(
  ...[distribution, ...rest]: ConstructorParameters<typeof SteppedKernels>
): ContinuousKernels | SteppedKernels {
  const Kernels = distribution.step === undefined ? ContinuousKernels : SteppedKernels;
  return new Kernels(distribution, ...rest);
}
