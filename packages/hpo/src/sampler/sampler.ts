import { type Distribution, type ParamValue, type SearchSpace } from '../distribution/distribution';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial, type TrialState } from '../trial/frozen-trial';

/**
 * Chooses parameters. Source: optuna.samplers.BaseSampler.
 *
 * A trial first asks for the relative search space, the parameters that are chosen together, once, when the first
 * parameter is suggested; a parameter outside it is asked for alone.
 */
export interface Sampler {
  /** The parameters this sampler will choose together for this trial; none for a sampler that only knows single ones. */
  inferRelativeSearchSpace(study: StudyView, trial: FrozenTrial): SearchSpace;
  /** Values for the relative search space; a name left out is asked for alone. */
  sampleRelative(study: StudyView, trial: FrozenTrial, searchSpace: SearchSpace): Readonly<Record<string, ParamValue>>;
  sampleIndependent(study: StudyView, trial: FrozenTrial, name: string, distribution: Distribution): ParamValue;
  /** Called when a trial starts, before any parameter is suggested. */
  beforeTrial?(study: StudyView, trial: FrozenTrial): void;
  /** Called when a trial ends, before its end is stored. */
  afterTrial?(study: StudyView, trial: FrozenTrial, state: TrialState): void;
}
