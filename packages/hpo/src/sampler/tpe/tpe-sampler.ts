import { type Distribution, isSingle, type ParamValue, type SearchSpace } from '../../distribution/distribution';
import { toExternal } from '../../distribution/distribution';
import { checkAtLeast, checkOptions } from '../../check-options';
import { HpoError, shown } from '../../errors';
import { RandomState } from '../../random/random-state';
import { type Storage } from '../../storage/storage';
import { type StudyView } from '../../study/study-view';
import { type FrozenTrial } from '../../trial/frozen-trial';
import { RandomSampler } from '../random-sampler';
import { type Sampler } from '../sampler';
import { makeEstimators, type OpenTrial } from './estimators';
import { History } from './history';
import { defaultWeights, type ParzenEstimatorOptions } from './parzen-estimator';
import { relativeParamsOf, shareRelativeParams } from './relative-params';
import { orderedRecord } from '../../ordered-record';

export interface TPESamplerOptions {
  seed?: number;
  /** Random draws until so many trials have completed or been pruned. */
  nStartupTrials?: number;
  /** Points drawn from the better density, of which the one with the best ratio is taken. */
  nEiCandidates?: number;
  /** Chooses parameters together, by a density over all of them. */
  multivariate?: boolean;
  /**
   * Splits the parameters into groups of which a trial has all or none, and chooses each group together; for spaces where
   * some parameters only exist beside certain values of others. Needs multivariate.
   */
  group?: boolean;
  /** Counts running trials among the worse ones, so that workers keep apart. */
  constantLiar?: boolean;
  /** Weight of the prior against that of one observation. */
  priorWeight?: number;
  considerMagicClip?: boolean;
  considerEndpoints?: boolean;
  /** Number of trials in the better density, of n ended ones. */
  gamma?: (n: number) => number;
  /** Weights of n observations, oldest first. */
  weights?: (n: number) => ArrayLike<number>;
}

/** A tenth of the trials, 25 at most. Source: optuna.samplers._tpe.sampler.default_gamma. */
export function defaultGamma(n: number): number {
  return Math.min(Math.ceil(0.1 * n), 25);
}

/**
 * Tree-structured Parzen estimator (Bergstra et al. 2011), with the defaults of Optuna 5 for one objective:
 * multivariate, constant liar, gamma = min(ceil(n / 10), 25). Among candidates from the density l of the better trials
 * it takes the one with the highest log l - log g, g being the density of the others.
 * Source: optuna.samplers.TPESampler; a seed gives the suggestions that Optuna's gives on an x86 CPU (see argsort).
 */
export class TPESampler implements Sampler {
  private readonly random: RandomState;
  private readonly randomSampler: RandomSampler;
  private readonly nStartupTrials: number;
  private readonly nEiCandidates: number;
  private readonly multivariate: boolean;
  private readonly group: boolean;
  private readonly constantLiar: boolean;
  private readonly gamma: (n: number) => number;
  private readonly estimator: ParzenEstimatorOptions;
  private history: { storage: Storage; studyId: number; trials: History } | undefined;

  constructor(options: TPESamplerOptions = {}) {
    checkOptions('TPESampler', options, [
      'seed',
      'nStartupTrials',
      'nEiCandidates',
      'multivariate',
      'group',
      'constantLiar',
      'priorWeight',
      'considerMagicClip',
      'considerEndpoints',
      'gamma',
      'weights',
    ]);
    this.random = new RandomState(options.seed);
    this.randomSampler = new RandomSampler({ seed: options.seed });
    this.nStartupTrials = checkAtLeast('nStartupTrials', options.nStartupTrials ?? 10, 0);
    this.nEiCandidates = checkAtLeast('nEiCandidates', options.nEiCandidates ?? 24, 1);
    this.multivariate = options.multivariate ?? true;
    this.group = options.group ?? false;
    if (this.group && !this.multivariate) {
      throw new HpoError('INVALID_ARGUMENT', 'group needs multivariate, which is false', {
        place: 'group',
        value: true,
      });
    }
    this.constantLiar = options.constantLiar ?? true;
    this.gamma = options.gamma ?? defaultGamma;
    const priorWeight = options.priorWeight ?? 1;
    if (!(priorWeight >= 0 && Number.isFinite(priorWeight))) {
      throw new HpoError(
        'INVALID_ARGUMENT',
        `priorWeight must be a finite number of at least 0, but is ${shown(priorWeight)}`,
        { value: priorWeight },
      );
    }
    this.estimator = {
      priorWeight,
      considerMagicClip: options.considerMagicClip ?? true,
      considerEndpoints: options.considerEndpoints ?? false,
      weights: options.weights ?? defaultWeights,
    };
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    if (!this.multivariate) return {};
    if (this.group) {
      return orderedRecord(this.historyOf(study).spaceGroups.flatMap((group) => Object.entries(group)));
    }
    const common = Object.entries(this.historyOf(study).intersection);
    return orderedRecord(common.filter(([, distribution]) => !isSingle(distribution)));
  }

  sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Readonly<Record<string, ParamValue>> {
    if (Object.keys(space).length === 0 || this.isStartingUp(study)) return {};
    const params = this.group ? this.sampleGroups(study, trial, space) : this.sample(study, trial, space);
    if (this.constantLiar) shareRelativeParams(study.storage, trial.id, params);
    return params;
  }

  sampleIndependent(study: StudyView, trial: FrozenTrial, name: string, distribution: Distribution): ParamValue {
    if (this.isStartingUp(study)) return this.randomSampler.sampleIndependent(study, trial, name, distribution);
    return this.sample(study, trial, orderedRecord([[name, distribution]]))[name]!;
  }

  /** Group by group; a parameter that PartialFixedSampler has taken out of the space is left out. */
  private sampleGroups(study: StudyView, trial: FrozenTrial, space: SearchSpace): Readonly<Record<string, ParamValue>> {
    const drawn: (readonly [string, ParamValue])[] = [];
    for (const group of this.historyOf(study).spaceGroups) {
      const wanted = Object.entries(group).filter(([name]) => Object.hasOwn(space, name));
      if (wanted.length > 0) drawn.push(...Object.entries(this.sample(study, trial, orderedRecord(wanted))));
    }
    return orderedRecord(drawn);
  }

  private isStartingUp(study: StudyView): boolean {
    return this.historyOf(study).length < this.nStartupTrials;
  }

  /** The study's ended trials. One sampler serves one study after another, seldom several in turn. */
  private historyOf(study: StudyView): History {
    if (this.history?.storage !== study.storage || this.history.studyId !== study.id) {
      this.history = { storage: study.storage, studyId: study.id, trials: new History(study.direction, this.group) };
    }
    const { trials } = this.history;
    trials.update(study.getTrials(['COMPLETE', 'PRUNED']));
    return trials;
  }

  private sample(study: StudyView, trial: FrozenTrial, space: SearchSpace): Readonly<Record<string, ParamValue>> {
    const history = this.historyOf(study);
    const nBelow = checkAtLeast('gamma(n)', this.gamma(history.length), 0);
    const { better, worse } = makeEstimators({
      history,
      open: this.openTrials(study, trial),
      nBelow,
      space,
      options: this.estimator,
    });
    const candidates = better.sample(this.random, this.nEiCandidates);
    const logBetter = better.logPdf(candidates);
    const logWorse = worse.logPdf(candidates);
    let best = 0;
    for (let i = 1; i < logBetter.length; i++) {
      if (logBetter[i]! - logWorse[i]! > logBetter[best]! - logWorse[best]!) best = i;
    }
    return orderedRecord(
      Object.entries(space).map(([name, distribution]) => [name, toExternal(distribution, candidates[name]![best]!)]),
    );
  }

  private openTrials(study: StudyView, trial: FrozenTrial): OpenTrial[] {
    if (!this.constantLiar) return [];
    return study
      .getTrials(['RUNNING'])
      .filter((other) => other.number !== trial.number)
      .map((other) => ({
        number: other.number,
        params: this.multivariate ? relativeParamsOf(other) : other.params,
      }));
  }
}
