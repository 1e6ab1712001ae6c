import { type CategoricalDistribution } from '../../distribution/distribution';
import { type RandomState } from '../../random/random-state';
import { type DiscreteKernels, type KernelOptions, type Slots } from './kernels';

/**
 * Probabilities of the choices: prior weight / kernels for each, one more for the observed one, scaled to sum 1.
 * Source: optuna.samplers._tpe.parzen_estimator._ParzenEstimator._calculate_categorical_distributions.
 */
export class CategoricalKernels implements DiscreteKernels {
  private readonly choices: number;
  private readonly observed: Float64Array;
  private readonly priorSlot: number;
  /** Probability of the observed choice, of another, and of each under the prior. */
  private readonly hit: number;
  private readonly miss: number;
  private readonly prior: number;

  /** @param observed by slot, the index of the choice */
  constructor(
    observed: Float64Array,
    { choices }: CategoricalDistribution,
    { members, prior }: Slots,
    { priorWeight }: KernelOptions,
  ) {
    this.choices = choices.length;
    this.observed = observed;
    this.priorSlot = prior;
    const share = priorWeight / (members.length + 1);
    const sum = 1 + choices.length * share;
    this.hit = (1 + share) / sum;
    this.miss = share / sum;
    // A prior without weight gives no choice a probability.
    this.prior = members.length > 0 && priorWeight === 0 ? 0 : 1 / choices.length;
  }

  sample(slots: Int32Array, random: RandomState): Float64Array {
    const quantiles = Float64Array.from(slots, () => random.random());
    return quantiles.map((quantile, i) => {
      let choice = 0;
      for (let upTo = 0; choice < this.choices - 1; choice++) {
        upTo += this.probability(slots[i]!, choice);
        if (upTo >= quantile) break;
      }
      return choice;
    });
  }

  logDensity(slot: number, value: number): number {
    return Math.log(this.probability(slot, value));
  }

  addLogDensities(value: number, slots: Int32Array, sums: Float64Array): void {
    const { observed, priorSlot } = this;
    const [hit, miss, prior] = [Math.log(this.hit), Math.log(this.miss), Math.log(this.prior)];
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      sums[i]! += slot === priorSlot ? prior : observed[slot] === value ? hit : miss;
    }
  }

  private probability(slot: number, choice: number): number {
    if (slot === this.priorSlot) return this.prior;
    return this.observed[slot] === choice ? this.hit : this.miss;
  }
}
