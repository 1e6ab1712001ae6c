import {
  contains,
  type Distribution,
  type ParamValue,
  type SearchSpace,
  toInternal,
} from '../distribution/distribution';
import { shown } from '../errors';
import { orderedRecord } from '../ordered-record';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial, type TrialState } from '../trial/frozen-trial';
import { type Sampler } from './sampler';

/** Holds some parameters fast and leaves the others to another sampler. Source: optuna.samplers.PartialFixedSampler. */
export class PartialFixedSampler implements Sampler {
  private readonly fixed: ReadonlyMap<string, ParamValue>;

  /** @param fixedParams values by name; one outside its distribution is used all the same, with a warning */
  constructor(
    fixedParams: Readonly<Record<string, ParamValue>>,
    private readonly baseSampler: Sampler,
  ) {
    this.fixed = new Map(Object.entries(fixedParams));
  }

  inferRelativeSearchSpace(study: StudyView, trial: FrozenTrial): SearchSpace {
    const space = Object.entries(this.baseSampler.inferRelativeSearchSpace(study, trial));
    return orderedRecord(space.filter(([name]) => !this.fixed.has(name)));
  }

  sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Readonly<Record<string, ParamValue>> {
    return this.baseSampler.sampleRelative(study, trial, space);
  }

  sampleIndependent(study: StudyView, trial: FrozenTrial, name: string, distribution: Distribution): ParamValue {
    const value = this.fixed.get(name);
    if (value === undefined) return this.baseSampler.sampleIndependent(study, trial, name, distribution);
    if (!contains(distribution, toInternal(distribution, value, name))) {
      study.logger.warn(
        `the fixed ${shown(name)} = ${shown(value)} is used although it is outside ${shown(distribution)}`,
      );
    }
    return value;
  }

  beforeTrial(study: StudyView, trial: FrozenTrial): void {
    this.baseSampler.beforeTrial?.(study, trial);
  }

  afterTrial(study: StudyView, trial: FrozenTrial, state: TrialState): void {
    this.baseSampler.afterTrial?.(study, trial, state);
  }
}
