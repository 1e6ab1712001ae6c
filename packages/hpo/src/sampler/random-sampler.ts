import { checkOptions } from '../check-options';
import { type Distribution, type ParamValue, type SearchSpace } from '../distribution/distribution';
import { RandomState } from '../random/random-state';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial } from '../trial/frozen-trial';
import { type Sampler } from './sampler';
import { drawUniform } from './uniform';

/** Draws every parameter by itself, uniformly. A seed gives the draws that Optuna's RandomSampler makes with it. */
export class RandomSampler implements Sampler {
  private readonly random: RandomState;

  constructor(options: { seed?: number } = {}) {
    checkOptions('RandomSampler', options, ['seed']);
    this.random = new RandomState(options.seed);
  }

  inferRelativeSearchSpace(): SearchSpace {
    return {};
  }

  sampleRelative(): Readonly<Record<string, ParamValue>> {
    return {};
  }

  sampleIndependent(_study: StudyView, _trial: FrozenTrial, _name: string, distribution: Distribution): ParamValue {
    return drawUniform(distribution, this.random);
  }
}
