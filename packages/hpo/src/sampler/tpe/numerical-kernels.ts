import { type NumericalDistribution } from '../../distribution/distribution';
import { clamp, roundHalfEven } from '../../random/float64';
import { type RandomState } from '../../random/random-state';
import { type KernelColumnStore } from './kernel-table';
import { type DiscreteKernels, type KernelOptions, type Kernels, type Slots } from './kernels';
import { logNormalMass, truncatedNormalQuantile } from './normal';

/** Smallest bandwidth without the magic clip. */
const epsilon = 1e-12;

/** A parameter's observations. */
export interface NumericalObservations {
  /** By slot, on the kernels' scale: the logarithm, where the distribution has one; with room for the prior. */
  means: Float64Array;
  /** Slots of the observations, sorted by mean. */
  order: Int32Array;
  store: KernelColumnStore;
  /** Slots from this one on hold something else in the next estimator. */
  lasting: number;
}

/**
 * Normal kernels cut to the range, in the logarithm where the distribution has `log`; with a step, over the range
 * widened by half a step on both sides. Source: _calculate_numerical_distributions.
 */
abstract class NumericalKernels implements Kernels {
  protected readonly low: number;
  protected readonly high: number;
  protected readonly means: Float64Array;
  protected readonly store: KernelColumnStore;

  constructor(
    protected readonly distribution: NumericalDistribution,
    { means, order, store, lasting }: NumericalObservations,
    { prior }: Slots,
    options: KernelOptions,
  ) {
    const half = (distribution.step ?? 0) / 2;
    const low = this.scaled(distribution.low - half);
    const high = this.scaled(distribution.high + half);
    store.prepare({ slots: prior + 1, lasting, low, high });
    this.low = low;
    this.high = high;
    this.means = means;
    this.store = store;
    this.setBandwidths(order, options);
    means[prior] = 0.5 * (low + high);
    store.set(prior, means[prior], high - low);
  }

  abstract logDensity(slot: number, value: number): number;

  sample(slots: Int32Array, random: RandomState): Float64Array {
    const quantiles = Float64Array.from(slots, () => random.uniform(0, 1));
    return quantiles.map((quantile, i) => {
      const mean = this.means[slots[i]!]!;
      const width = this.store.widths[slots[i]!]!;
      const z = truncatedNormalQuantile(quantile, (this.low - mean) / width, (this.high - mean) / width);
      return this.toGrid(z * width + mean);
    });
  }

  /** From the parameter's own scale to that of the kernels. */
  scaled(value: number): number {
    return this.distribution.log ? Math.log(value) : value;
  }

  /** From the scale of the kernels to the parameter's own, on its step where it has one. */
  private toGrid(scaled: number): number {
    const { low, high, log, step } = this.distribution;
    const value = log ? Math.exp(scaled) : scaled;
    if (step === undefined) return value;
    return clamp(low + roundHalfEven((value - low) / step) * step, low, high);
  }

  /**
   * Bandwidth of each observation: the larger gap to its neighbours, the outermost looking only inwards (where there
   * are two or more), cut to the range's width and, by the magic clip, to a share of it.
   */
  private setBandwidths(order: Int32Array, options: KernelOptions): void {
    const { low, high, means, store } = this;
    const count = order.length;
    const range = high - low;
    const least = options.considerMagicClip ? range / Math.min(100, 2 + count) : epsilon;
    const { widths } = store;
    let before = low;
    let here = count === 0 ? high : means[order[0]!]!;
    for (let i = 0; i < count; i++) {
      const slot = order[i]!;
      const after = i + 1 < count ? means[order[i + 1]!]! : high;
      let width = Math.max(here - before, after - here);
      if (!options.considerEndpoints && count > 1) {
        if (i === 0) width = after - here;
        else if (i === count - 1) width = here - before;
      }
      width = width < least ? least : width > range ? range : width;
      if (widths[slot] !== width) store.set(slot, here, width);
      before = here;
      here = after;
    }
  }
}

/** Kernels over a parameter without a step. Densities are over the kernels' scale: a Jacobian is the same under l and g. */
export class ContinuousKernels extends NumericalKernels {
  logDensity(slot: number, value: number): number {
    const at = this.scaled(value);
    if (at < this.low || at > this.high) return -Infinity;
    const { data } = this.store;
    const place = this.store.placeOf(slot);
    const z = (at - data[place]!) * data[place + 1]!;
    return data[place + 2]! - 0.5 * z * z;
  }

  /** Whether a value lies in the kernels' range. */
  contains(value: number): boolean {
    const at = this.scaled(value);
    return at >= this.low && at <= this.high;
  }

  /** What no log density exceeds: that of the narrowest kernel at its mean, at least. */
  ceiling(slots: Int32Array): number {
    const { store } = this;
    const { data } = store;
    let highest = -Infinity;
    for (let i = 0; i < slots.length; i++) highest = Math.max(highest, data[store.placeOf(slots[i]!) + 2]!);
    return highest;
  }
}

/** Kernels over a parameter with a step: a value's probability is the mass half a step around it. */
export class SteppedKernels extends NumericalKernels implements DiscreteKernels {
  /** By slot: its class. Kernels on one grid point mostly have one bandwidth too, and are computed once for all. */
  private readonly classes: Int32Array;
  /** A slot of each class. */
  private readonly slotOfClass: number[] = [];
  private readonly logMassesByValue = new Map<number, Float64Array>();

  constructor(
    distribution: NumericalDistribution,
    observations: NumericalObservations,
    slots: Slots,
    options: KernelOptions,
  ) {
    super(distribution, observations, slots, options);
    const { means, store, slotOfClass } = this;
    this.classes = new Int32Array(slots.prior + 1);
    let [lastMean, lastWidth] = [NaN, NaN];
    for (const slot of observations.order) {
      const width = store.widths[slot]!;
      if (means[slot] !== lastMean || width !== lastWidth) slotOfClass.push(slot);
      this.classes[slot] = slotOfClass.length - 1;
      [lastMean, lastWidth] = [means[slot]!, width];
    }
    slotOfClass.push(slots.prior);
    this.classes[slots.prior] = slotOfClass.length - 1;
  }

  logDensity(slot: number, value: number): number {
    return this.logMassesAt(value)[this.classes[slot]!]!;
  }

  addLogDensities(value: number, slots: Int32Array, sums: Float64Array): void {
    const { classes } = this;
    const logMasses = this.logMassesAt(value);
    for (let i = 0; i < slots.length; i++) sums[i]! += logMasses[classes[slots[i]!]!]!;
  }

  /** Log probability of a value under each class; few of the candidates differ, so each is computed once. */
  private logMassesAt(value: number): Float64Array {
    let logMasses = this.logMassesByValue.get(value);
    if (logMasses === undefined) {
      const { means, store } = this;
      const half = this.distribution.step! / 2;
      const [from, to] = [this.scaled(value - half), this.scaled(value + half)];
      logMasses = Float64Array.from(this.slotOfClass, (slot) => {
        const mean = means[slot]!;
        const width = store.widths[slot]!;
        return logNormalMass((from - mean) / width, (to - mean) / width) - store.logMasses[slot]!;
      });
      this.logMassesByValue.set(value, logMasses);
    }
    return logMasses;
  }
}
