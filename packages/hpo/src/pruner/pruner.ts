import { type StudyView } from '../study/study-view';
import { type FrozenTrial } from '../trial/frozen-trial';

/** Decides whether a trial is worth going on with. Source: optuna.pruners.BasePruner. */
export interface Pruner {
  /** Whether the trial should end now, judged by what it and others have reported. */
  prune(study: StudyView, trial: FrozenTrial): boolean;
}
