import { type RandomState } from '../../random/random-state';

/**
 * One kernel per observation and one for the prior, over one parameter's internal values. Kernels are named by slots:
 * places in arrays that outlive an estimator, so that what did not change since the last trial is not computed again.
 */
export interface Kernels {
  /** Draws from the kernels in the given slots, one value each. */
  sample(slots: Int32Array, random: RandomState): Float64Array;
  /** Logarithm of the density (of the probability, where values are discrete) of `value` under one kernel. */
  logDensity(slot: number, value: number): number;
}

/** Kernels over values of which there are few, so that a density is one of few numbers. */
export interface DiscreteKernels extends Kernels {
  /** Adds the log densities of `value` under the kernels in some slots to as many sums. */
  addLogDensities(value: number, slots: Int32Array, sums: Float64Array): void;
}

/** How kernels are made from observations. */
export interface KernelOptions {
  /** Weight of the prior against that of one observation. */
  priorWeight: number;
  /** Keeps bandwidths above range / min(100, kernels + 1). */
  considerMagicClip: boolean;
  /** Lets the distance to the range's ends count for the outermost observations' bandwidths. */
  considerEndpoints: boolean;
}

/** Which slots an estimator's kernels are in. */
export interface Slots {
  /** Slots of the observations, oldest first. */
  members: Int32Array;
  /** Slot of the prior: behind all others. */
  prior: number;
}
