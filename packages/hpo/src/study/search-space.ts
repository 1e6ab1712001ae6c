import { type SearchSpace, sameDistribution } from '../distribution/distribution';
import { ownProperty } from '../own-property';
import { type FrozenTrial } from '../trial/frozen-trial';
import { orderedRecord } from '../ordered-record';

/** Order of names by code points, as Python sorts text, so that both sides visit parameters alike. */
export function compareNames(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * The parameters that every completed or pruned trial has with the same distribution, sorted by name.
 * Source: optuna.search_space.IntersectionSearchSpace(include_pruned=True).
 */
export function intersectionSearchSpace(trials: readonly FrozenTrial[]): SearchSpace {
  const ended = trials.filter((trial) => trial.state === 'COMPLETE' || trial.state === 'PRUNED');
  const newest = ended.at(-1);
  if (newest === undefined) return {};
  const common = Object.entries(newest.distributions).filter(([name, distribution]) =>
    ended.every((trial) => {
      const other = ownProperty(trial.distributions, name);
      return other !== undefined && sameDistribution(other, distribution);
    }),
  );
  return orderedRecord(common.sort(([a], [b]) => compareNames(a, b)));
}
