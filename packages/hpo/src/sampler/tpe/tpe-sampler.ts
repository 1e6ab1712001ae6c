import { type Distribution, isSingle, type ParamValue, type SearchSpace } from '../../distribution/distribution';
import { toExternal, toInternal } from '../../distribution/distribution';
import { checkAtLeast, checkOptions } from '../../check-options';
import { HpoError, shown } from '../../errors';
import { RandomState } from '../../random/random-state';
import { intersectionSearchSpace } from '../../study/search-space';
import { type StudyView } from '../../study/study-view';
import { type FrozenTrial, isFinished } from '../../trial/frozen-trial';
import { RandomSampler } from '../random-sampler';
import { type Sampler } from '../sampler';
import { defaultWeights, type Observations, ParzenEstimator, type ParzenEstimatorOptions } from './parzen-estimator';
import { relativeParamsOf, shareRelativeParams } from './relative-params';
import { splitTrials } from './split-trials';
import { orderedRecord } from '../../ordered-record';

export interface TPESamplerOptions {
  seed?: number;
  /** Random draws until so many trials have completed or been pruned. */
  nStartupTrials?: number;
  /** Points drawn from the better density, of which the one with the best ratio is taken. */
  nEiCandidates?: number;
  /** Chooses parameters together, by a density over all of them. */
  multivariate?: boolean;
  /** Counts running trials among the worse ones, so that workers keep apart. */
  constantLiar?: boolean;
  /** Weight of the prior against that of one observation. */
  priorWeight?: number;
  considerMagicClip?: boolean;
  considerEndpoints?: boolean;
  /** Number of trials in the better density, of n ended ones. */
  gamma?: (n: number) => number;
  /** Weights of n observations, oldest first. */
  weights?: (n: number) => readonly number[];
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
  private readonly constantLiar: boolean;
  private readonly gamma: (n: number) => number;
  private readonly estimator: ParzenEstimatorOptions;

  constructor(options: TPESamplerOptions = {}) {
    checkOptions('TPESampler', options, [
      'seed',
      'nStartupTrials',
      'nEiCandidates',
      'multivariate',
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
    const common = Object.entries(intersectionSearchSpace(study.getTrials()));
    return orderedRecord(common.filter(([, distribution]) => !isSingle(distribution)));
  }

  sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Readonly<Record<string, ParamValue>> {
    if (Object.keys(space).length === 0 || this.isStartingUp(study)) return {};
    const params = this.sample(study, trial, space);
    if (this.constantLiar) shareRelativeParams(study.storage, trial.id, params);
    return params;
  }

  sampleIndependent(study: StudyView, trial: FrozenTrial, name: string, distribution: Distribution): ParamValue {
    if (this.isStartingUp(study)) {
      return this.randomSampler.sampleIndependent(study, trial, name, distribution);
    }
    return Object.values(this.sample(study, trial, orderedRecord([[name, distribution]])))[0]!;
  }

  private isStartingUp(study: StudyView): boolean {
    return study.getTrials(['COMPLETE', 'PRUNED']).length < this.nStartupTrials;
  }

  private sample(study: StudyView, trial: FrozenTrial, space: SearchSpace): Readonly<Record<string, ParamValue>> {
    const trials = study
      .getTrials(this.constantLiar ? ['COMPLETE', 'PRUNED', 'RUNNING'] : ['COMPLETE', 'PRUNED'])
      .filter((other) => other.number !== trial.number);
    const nEnded = trials.filter((other) => other.state !== 'RUNNING').length;
    const nBelow = checkAtLeast('gamma(n)', this.gamma(nEnded), 0);
    const { below, above } = splitTrials({ trials, direction: study.direction, nBelow });
    const better = new ParzenEstimator(this.observe(below, space), space, this.estimator);
    const worse = new ParzenEstimator(this.observe(above, space), space, this.estimator);

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

  /** Internal values of the trials that have every parameter of the space. */
  private observe(trials: readonly FrozenTrial[], space: SearchSpace): Observations {
    const entries = Object.entries(space);
    const rows: number[][] = [];
    for (const trial of trials) {
      const params: Readonly<Record<string, unknown>> =
        isFinished(trial.state) || !this.multivariate ? trial.params : relativeParamsOf(trial);
      if (!entries.every(([name]) => Object.hasOwn(params, name))) continue;
      rows.push(entries.map(([name, distribution]) => toInternal(distribution, params[name], name)));
    }
    return orderedRecord(entries.map(([name], i) => [name, Float64Array.from(rows, (row) => row[i]!)]));
  }
}
