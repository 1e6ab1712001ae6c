import { checkAtLeast, checkOptions } from '../check-options';
import { type FrozenTrial, type TrialState } from '../trial/frozen-trial';
import { type StudyView } from './study-view';

/**
 * A callback for `study.optimize` that ends it once the study, over all its workers and earlier runs, has so many
 * trials in some states. Source: optuna.study.MaxTrialsCallback.
 */
export function maxTrialsCallback(
  nTrials: number,
  options: {
    /** Default: COMPLETE alone; null: all of them. */
    states?: readonly TrialState[] | null;
  } = {},
): (study: StudyView, trial: FrozenTrial) => void {
  checkAtLeast('nTrials', nTrials, 1);
  checkOptions('maxTrialsCallback', options, ['states']);
  const { states = ['COMPLETE'] } = options;
  return (study) => {
    if (study.getTrials(states ?? undefined).length >= nTrials) study.requestStop();
  };
}
