import { type Distribution, type NumericalDistribution, type ParamValue } from '../distribution/distribution';
import { clamp, nextBelow, roundHalfEven } from '../random/float64';
import { type RandomState } from '../random/random-state';

/**
 * One uniform draw from a distribution: in the logarithm with `log`; with a step, over the range widened by half a
 * step on both sides and rounded, so that the ends are as likely as the rest; a choice by the largest of one draw each.
 * Source: optuna._transform._SearchSpaceTransform as optuna.samplers.RandomSampler uses it.
 */
export function drawUniform(distribution: Distribution, random: RandomState): ParamValue {
  if (distribution.kind === 'categorical') {
    let best = -1;
    let chosen: ParamValue = null;
    for (const choice of distribution.choices) {
      const draw = random.uniform(0, 1);
      if (draw > best) [best, chosen] = [draw, choice];
    }
    return chosen;
  }
  return fromQuantile(distribution, random.random());
}

/**
 * The value that lies so far along a distribution's range, `share` being in [0, 1).
 * Source: optuna._transform._untransform_numerical_param.
 */
export function fromQuantile(distribution: NumericalDistribution, share: number): number {
  const { low, high, log, step } = distribution;
  const between = (from: number, to: number) => from + (to - from) * share;
  if (distribution.kind === 'float') {
    if (log) {
      const value = Math.exp(between(Math.log(low), Math.log(high)));
      return low === high ? low : clamp(value, low, nextBelow(high));
    }
    if (step === undefined) {
      const value = between(low, high);
      return low === high ? value : Math.min(value, nextBelow(high));
    }
    const value = between(low - 0.5 * step, high + 0.5 * step);
    return clamp(roundHalfEven((value - low) / step) * step + low, low, high);
  }
  if (log) return clamp(roundHalfEven(Math.exp(between(Math.log(low - 0.5), Math.log(high + 0.5)))), low, high);
  const half = 0.5 * distribution.step;
  const index = Math.floor((between(low - half, high + half) - low) / distribution.step + 0.5);
  return clamp(index * distribution.step + low, low, high);
}
