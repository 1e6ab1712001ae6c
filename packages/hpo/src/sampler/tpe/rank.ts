import { type Direction } from '../../study/direction';
import { type FrozenTrial, infeasibility } from '../../trial/frozen-trial';

/** Where an ended trial stands; compared field by field, lower is better. */
export type Rank = readonly [group: number, first: number, second: number];

/**
 * Completed trials by value; then pruned ones, the further they came the better, then by their last value; then those
 * that violate a constraint, by how much. Source: optuna.samplers._tpe.sampler._split_trials.
 */
export function rankOf(trial: FrozenTrial, direction: Direction): Rank {
  const sign = direction === 'minimize' ? 1 : -1;
  const violation = infeasibility(trial);
  if (violation > 0) return [2, violation, 0];
  if (trial.state === 'COMPLETE') return [0, sign * trial.value!, 0];
  const step = trial.intermediateValues.lastStep;
  if (step === undefined) return [1, 1, 0];
  const value = trial.intermediateValues.get(step)!;
  return [1, -step, Number.isNaN(value) ? Infinity : sign * value];
}

/** Below 0 where `a` is better, 0 for equals. */
export function comparedRanks(a: Rank, b: Rank): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i]! < b[i]!) return -1;
    if (a[i]! > b[i]!) return 1;
  }
  return 0;
}
