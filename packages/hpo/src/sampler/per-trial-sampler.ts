import { type Distribution, type ParamValue, type SearchSpace } from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { mixedSeed } from '../random/mixed-seed';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial, type TrialState } from '../trial/frozen-trial';
import { type Sampler } from './sampler';

/**
 * Draws every trial with a sampler and a seed of its own. What a trial gets then hangs on the seed, its number and the
 * trials before it, and not on what this process has drawn so far: a study that was stopped and is gone on with gets the
 * trials of one that never was, and of several workers no two draw alike.
 */
export class PerTrialSampler implements Sampler {
  private readonly samplers = new Map<number, Sampler>();

  /** @param make makes the sampler of a trial from its seed; `(seed) => new TPESampler({ seed })` */
  constructor(
    private readonly seed: number,
    private readonly make: (seed: number) => Sampler,
  ) {
    if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
      throw new HpoError('INVALID_ARGUMENT', `seed must be an integer from 0 to 2 ** 32 - 1, but is ${shown(seed)}`, {
        value: seed,
      });
    }
  }

  inferRelativeSearchSpace(study: StudyView, trial: FrozenTrial): SearchSpace {
    return this.of(trial).inferRelativeSearchSpace(study, trial);
  }

  sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Readonly<Record<string, ParamValue>> {
    return this.of(trial).sampleRelative(study, trial, space);
  }

  sampleIndependent(study: StudyView, trial: FrozenTrial, name: string, distribution: Distribution): ParamValue {
    return this.of(trial).sampleIndependent(study, trial, name, distribution);
  }

  beforeTrial(study: StudyView, trial: FrozenTrial): void {
    this.samplers.delete(trial.id);
    this.of(trial).beforeTrial?.(study, trial);
  }

  afterTrial(study: StudyView, trial: FrozenTrial, state: TrialState): void {
    this.of(trial).afterTrial?.(study, trial, state);
    this.samplers.delete(trial.id);
  }

  private of({ id, number }: FrozenTrial): Sampler {
    let sampler = this.samplers.get(id);
    if (sampler === undefined) {
      sampler = this.make(mixedSeed(this.seed, number));
      this.samplers.set(id, sampler);
    }
    return sampler;
  }
}
