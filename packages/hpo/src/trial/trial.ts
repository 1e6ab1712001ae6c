import { checkOptions } from '../check-options';
import {
  type AnyParams,
  categoricalDistribution,
  type CategoricalChoice,
  checkCompatible,
  contains,
  type Distribution,
  floatDistribution,
  intDistribution,
  isSingle,
  type ParamValue,
  sameDistribution,
  type SearchSpace,
  singleValue,
  toExternal,
  toInternal,
} from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { jsonCopy, type JsonValue } from '../json-value';
import { ownProperty } from '../own-property';
import { type Pruner } from '../pruner/pruner';
import { type Sampler } from '../sampler/sampler';
import { type StudyView } from '../study/study-view';
import { constraintKey, type FrozenTrial } from './frozen-trial';

export interface SuggestOptions {
  /** Uniform in the logarithm. */
  log?: boolean;
  /** Only low, low + step, low + 2 step, ... Not together with log. */
  step?: number;
}

/** What a trial works with. */
export interface TrialContext {
  study: StudyView;
  sampler: Sampler;
  pruner: Pruner;
}

/** System attribute with the parameters that an enqueued trial must use. */
export const fixedParamsKey = 'fixed_params';

/**
 * One run of the objective: hands out parameters and takes reports. Source: optuna.trial.Trial.
 *
 * A method that writes throws HpoError `FINISHED_TRIAL` once the trial has ended, as it does on an abort.
 */
export class Trial<Params extends object = AnyParams> {
  /** Number in the study, from 0. */
  readonly number: number;
  /** Number in the storage. */
  readonly id: number;
  private readonly context: TrialContext;
  private relative: { space: SearchSpace; params: Readonly<Record<string, ParamValue>> } | undefined;

  /** Made by `study.ask` and `study.optimize`. */
  constructor(context: TrialContext, id: number) {
    this.context = context;
    this.id = id;
    const frozen = this.frozen();
    this.number = frozen.number;
    context.sampler.beforeTrial?.(context.study, frozen);
  }

  /** A real number in [low, high]. Throws HpoError `INVALID_DISTRIBUTION`, `INCOMPATIBLE_DISTRIBUTION`. */
  suggestFloat(name: string, low: number, high: number, options: SuggestOptions = {}): number {
    checkOptions('trial.suggestFloat', options, ['log', 'step']);
    return this.suggest(name, floatDistribution({ ...options, low, high })) as number;
  }

  /** An integer in [low, high]. Throws HpoError `INVALID_DISTRIBUTION`, `INCOMPATIBLE_DISTRIBUTION`. */
  suggestInt(name: string, low: number, high: number, options: SuggestOptions = {}): number {
    checkOptions('trial.suggestInt', options, ['log', 'step']);
    return this.suggest(name, intDistribution({ ...options, low, high })) as number;
  }

  /** One of the choices. Throws HpoError `INVALID_DISTRIBUTION`, `INCOMPATIBLE_DISTRIBUTION`. */
  suggestCategorical<const Choice extends CategoricalChoice>(name: string, choices: readonly Choice[]): Choice {
    return this.suggest(name, categoricalDistribution(choices)) as Choice;
  }

  /** A value from a distribution; the same value whenever the same name is asked for again. */
  suggest(name: string, distribution: Distribution): ParamValue {
    const frozen = this.frozen();
    const before = ownProperty(frozen.distributions, name);
    if (before !== undefined) {
      checkCompatible({ name, before, now: distribution });
      if (!sameDistribution(before, distribution)) {
        this.context.study.logger.warn(
          `trial ${this.number} asked for ${shown(name)} again with another range; the first one counts: ${shown(before)}`,
        );
      }
      return frozen.params[name]!;
    }
    const internal = toInternal(distribution, this.choose(frozen, name, distribution), name);
    this.context.study.storage.setTrialParam(this.id, name, internal, distribution);
    return toExternal(distribution, internal);
  }

  /**
   * Reports the objective's value so far, for the pruner. A step's first report counts.
   * @param value NaN is allowed, and taken as the worst
   * @param step an integer from 0
   */
  report(value: number, step: number): void {
    if (typeof value !== 'number') {
      throw new HpoError('INVALID_VALUE', `a reported value must be a number, but is ${shown(value)}`, { value });
    }
    if (!(Number.isSafeInteger(step) && step >= 0)) {
      throw new HpoError('INVALID_VALUE', `a step must be an integer of at least 0, but is ${shown(step)}`, {
        value: step,
      });
    }
    if (this.frozen().intermediateValues.has(step)) {
      this.context.study.logger.warn(
        `trial ${this.number} reported step ${step} again; its first value counts, ${shown(value)} is dropped`,
      );
      return;
    }
    this.context.study.storage.setTrialIntermediateValue(this.id, step, value);
  }

  /** Whether the study's pruner would end this trial now; the objective then throws TrialPruned. */
  shouldPrune(): boolean {
    return this.context.pruner.prune(this.context.study, this.frozen());
  }

  /** Keeps a JSON value with the trial. */
  setUserAttr(key: string, value: JsonValue): void {
    this.context.study.storage.setTrialUserAttr(this.id, key, jsonCopy(value, `user attribute ${shown(key)}`));
  }

  /** Keeps a JSON value with the trial for a sampler, a pruner or a launcher, apart from what users keep. */
  setSystemAttr(key: string, value: JsonValue): void {
    this.context.study.storage.setTrialSystemAttr(this.id, key, jsonCopy(value, `system attribute ${shown(key)}`));
  }

  /**
   * Sets a constraint's value, once; one above 0 makes the trial infeasible: never the best, and the last that the
   * sampler learns from. Source: optuna.trial.Trial.set_constraint.
   */
  setConstraint(name: string, value: number): void {
    if (typeof value !== 'number' || Number.isNaN(value)) {
      throw new HpoError('INVALID_VALUE', `constraint ${shown(name)} must be a number, but is ${shown(value)}`, {
        place: name,
        value,
      });
    }
    const key = constraintKey(name);
    if (Object.hasOwn(this.frozen().systemAttrs, key)) {
      this.context.study.logger.warn(
        `trial ${this.number} set constraint ${shown(name)} again; its first value counts, ${value} is dropped`,
      );
      return;
    }
    this.context.study.storage.setTrialSystemAttr(this.id, key, value);
  }

  /** The parameters suggested so far; those of the study's space are there from the beginning. */
  get params(): Params {
    return this.frozen().params as Params;
  }

  get distributions(): Readonly<Record<string, Distribution>> {
    return this.frozen().distributions;
  }

  get userAttrs(): Readonly<Record<string, JsonValue>> {
    return this.frozen().userAttrs;
  }

  /** What samplers, pruners and storages keep with the trial. */
  get systemAttrs(): Readonly<Record<string, JsonValue>> {
    return this.frozen().systemAttrs;
  }

  private frozen(): FrozenTrial {
    return this.context.study.storage.getTrial(this.id);
  }

  /** The value by the first rule that applies: enqueued, the only one there is, chosen with others, chosen alone. */
  private choose(frozen: FrozenTrial, name: string, distribution: Distribution): unknown {
    const fixed = ownProperty(frozen.systemAttrs, fixedParamsKey);
    if (fixed !== null && typeof fixed === 'object' && Object.hasOwn(fixed, name)) {
      const value = ownProperty(fixed as Readonly<Record<string, JsonValue>>, name);
      if (!contains(distribution, toInternal(distribution, value, name))) {
        this.context.study.logger.warn(
          `trial ${this.number}: the enqueued ${shown(name)} = ${shown(value)} is used although it is outside ${shown(distribution)}`,
        );
      }
      return value;
    }
    if (isSingle(distribution)) return singleValue(distribution);
    const { study, sampler } = this.context;
    if (this.relative === undefined) {
      const space = sampler.inferRelativeSearchSpace(study, frozen);
      this.relative = { space, params: sampler.sampleRelative(study, frozen, space) };
    }
    const together = ownProperty(this.relative.params, name);
    if (together !== undefined) {
      const before = ownProperty(this.relative.space, name);
      if (before !== undefined) checkCompatible({ name, before, now: distribution });
      if (contains(distribution, toInternal(distribution, together, name))) return together;
    }
    return sampler.sampleIndependent(study, frozen, name, distribution);
  }
}
