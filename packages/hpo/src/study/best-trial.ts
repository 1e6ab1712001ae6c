import { HpoError } from '../errors';
import { type FrozenTrial, infeasibility } from '../trial/frozen-trial';
import { type Direction } from './direction';

/** The feasible completed trial with the best value, the first of equals. Throws HpoError `NO_BEST_TRIAL`. */
export function bestTrial(trials: readonly FrozenTrial[], direction: Direction): FrozenTrial {
  let best: FrozenTrial | undefined;
  for (const trial of trials) {
    if (trial.state !== 'COMPLETE' || trial.value === undefined || infeasibility(trial) > 0) continue;
    const better =
      best === undefined || (direction === 'maximize' ? trial.value > best.value! : trial.value < best.value!);
    if (better) best = trial;
  }
  if (best === undefined) {
    throw new HpoError('NO_BEST_TRIAL', 'no trial has completed yet within its constraints, so there is no best one');
  }
  return best;
}
