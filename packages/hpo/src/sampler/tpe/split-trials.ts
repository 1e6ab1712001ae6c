import { type Direction } from '../../study/study-view';
import { type FrozenTrial, infeasibility, lastStep } from '../../trial/frozen-trial';

function ascending(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where a pruned trial stands: the further it came the better, then by its last value. Lower is better. */
function prunedScore(trial: FrozenTrial, direction: Direction): [number, number] {
  const step = lastStep(trial);
  if (step === undefined) return [1, 0];
  const value = trial.intermediateValues.get(step)!;
  if (Number.isNaN(value)) return [-step, Infinity];
  return [-step, direction === 'minimize' ? value : -value];
}

/**
 * The trials that the better density is made of, at most `nBelow`, and the rest: completed ones by value, then pruned
 * ones, then those that violate a constraint; running ones are always in the rest. Both sorted by number.
 * Source: optuna.samplers._tpe.sampler._split_trials.
 */
export function splitTrials({
  trials,
  direction,
  nBelow,
}: {
  trials: readonly FrozenTrial[];
  direction: Direction;
  nBelow: number;
}): { below: FrozenTrial[]; above: FrozenTrial[] } {
  const running = trials.filter((trial) => trial.state === 'RUNNING');
  const ended = trials.filter((trial) => trial.state !== 'RUNNING');
  const feasible = ended.filter((trial) => infeasibility(trial) === 0);
  const sign = direction === 'minimize' ? 1 : -1;
  const ranked = [
    ...feasible.filter((trial) => trial.state === 'COMPLETE').sort((a, b) => sign * ascending(a.value!, b.value!)),
    ...feasible
      .filter((trial) => trial.state === 'PRUNED')
      .map((trial) => ({ trial, score: prunedScore(trial, direction) }))
      .sort((a, b) => ascending(a.score[0], b.score[0]) || ascending(a.score[1], b.score[1]))
      .map(({ trial }) => trial),
    ...ended
      .filter((trial) => infeasibility(trial) > 0)
      .map((trial) => ({ trial, score: infeasibility(trial) }))
      .sort((a, b) => ascending(a.score, b.score))
      .map(({ trial }) => trial),
  ];
  const byNumber = (a: FrozenTrial, b: FrozenTrial) => a.number - b.number;
  return {
    below: ranked.slice(0, nBelow).sort(byNumber),
    above: [...ranked.slice(nBelow), ...running].sort(byNumber),
  };
}
