import { checkOptions } from '../check-options';
import { type AnyParams, type ParamsOf, type SearchSpace } from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { jsonCopy, type JsonValue } from '../json-value';
import { ownProperty } from '../own-property';
import { type Pruner } from '../pruner/pruner';
import { type Sampler } from '../sampler/sampler';
import { type Storage, type TrialTemplate, trialTemplate } from '../storage/storage';
import { type FrozenTrial, type TrialState } from '../trial/frozen-trial';
import { checkTrial } from '../trial/create-trial';
import { fixedParamsKey, Trial } from '../trial/trial';
import { bestTrial } from './best-trial';
import { checkedMetricNames, metricNamesKey, metricNamesOf } from './metric-names';
import { type Logger } from './logger';
import { type LoopOptions, type Objective, type OptimizeSummary, runTrials } from './optimize';
import { type Direction } from './direction';
import { type StudyView } from './study-view';
import { defaultColumns, type TrialColumn, type TrialRow, trialRows } from './trial-rows';
import { failTrials, type RetryOptions } from './unfinished';
import { failReason, type TellOptions, type TellRequest, tellTrial } from './tell';

/** How `study.optimize` runs. */
export type OptimizeOptions<Params extends object = AnyParams> = LoopOptions<Study<Params>, Params>;

export interface StudyParts {
  id: number;
  storage: Storage;
  sampler: Sampler;
  pruner: Pruner;
  logger: Logger;
  space: SearchSpace;
}

export interface EnqueueOptions {
  userAttrs?: Readonly<Record<string, JsonValue>>;
  /** Does nothing where a trial with these parameters is already there. */
  skipIfExists?: boolean;
  /** Does nothing where the study has so many trials already, whichever worker made them. */
  atMost?: number;
}

/**
 * A search: trials of one objective in one direction. Made by `createStudy` and `loadStudy`. `Params` are the parameters
 * of the space that it was given; without one, any. Source: optuna.Study.
 */
export class Study<Params extends object = AnyParams> implements StudyView {
  readonly name: string;
  readonly id: number;
  readonly direction: Direction;
  readonly storage: Storage;
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  readonly logger: Logger;
  /** Parameters that every trial has from its beginning. */
  readonly space: SearchSpace;
  private optimizing = false;
  private stopRequested = false;

  constructor({ id, storage, sampler, pruner, logger, space }: StudyParts) {
    const { name, directions } = storage.getStudy(id);
    const [direction] = directions;
    if (direction === undefined || directions.length > 1) {
      throw new HpoError(
        'UNSUPPORTED',
        `study ${shown(name)} has ${directions.length} objectives; this package optimises one`,
        { place: name },
      );
    }
    this.name = name;
    this.id = id;
    this.direction = direction;
    this.storage = storage;
    this.sampler = sampler;
    this.pruner = pruner;
    this.logger = logger;
    this.space = space;
  }

  /** Every trial, by number. */
  get trials(): readonly FrozenTrial[] {
    return this.getTrials();
  }

  getTrials(states?: readonly TrialState[]): readonly FrozenTrial[] {
    return this.storage.getTrials(this.id, states);
  }

  /** The completed trial with the best value. Throws HpoError `NO_BEST_TRIAL` while there is none. */
  get bestTrial(): FrozenTrial {
    return bestTrial(this.getTrials(['COMPLETE']), this.direction);
  }

  get bestValue(): number {
    return this.bestTrial.value!;
  }

  get bestParams(): Params {
    return this.bestTrial.params as Params;
  }

  get userAttrs(): Readonly<Record<string, JsonValue>> {
    return this.storage.getStudy(this.id).userAttrs;
  }

  /** Keeps a JSON value with the study. */
  async setUserAttr(key: string, value: JsonValue): Promise<void> {
    await this.storage.setStudyUserAttr(this.id, key, jsonCopy(value, `user attribute ${shown(key)}`));
  }

  /** What samplers, pruners and the like keep with the study. */
  get systemAttrs(): Readonly<Record<string, JsonValue>> {
    return this.storage.getStudy(this.id).systemAttrs;
  }

  /** Keeps a JSON value with the study, apart from what users keep. */
  async setSystemAttr(key: string, value: JsonValue): Promise<void> {
    await this.storage.setStudySystemAttr(this.id, key, jsonCopy(value, `system attribute ${shown(key)}`));
  }

  /** What the objective's value is called; undefined where nobody said so. */
  get metricNames(): readonly string[] | undefined {
    return metricNamesOf(this.systemAttrs);
  }

  /** Says what the objective's value is called, as dashboards and rows of trials show it. */
  async setMetricNames(names: readonly string[]): Promise<void> {
    await this.storage.setStudySystemAttr(this.id, metricNamesKey, checkedMetricNames(names, 1));
  }

  /**
   * The trials as a table: one flat object a trial, every one with every column, null where it has nothing. Columns are
   * Optuna's: number, value, datetime_start, ..., params_NAME, user_attrs_NAME, state. Source: optuna's trials_dataframe.
   */
  trialRows(attrs: readonly TrialColumn[] = defaultColumns): readonly TrialRow[] {
    return trialRows(this.trials, { attrs, metricName: this.metricNames?.[0] });
  }

  /**
   * Adds a trial that ran elsewhere, or one for the queue, as `createTrial` makes them; its number is the next one.
   * Throws HpoError `INVALID_ARGUMENT` for a trial that contradicts itself. Source: optuna.Study.add_trial.
   */
  async addTrial(trial: TrialTemplate | FrozenTrial): Promise<void> {
    checkTrial(trial);
    const { number: _number, id: _id, ...template } = { number: 0, id: 0, ...trial };
    await this.storage.createTrial(this.id, template);
  }

  /** Adds trials one after the other. Throws what `addTrial` does. */
  async addTrials(trials: Iterable<TrialTemplate | FrozenTrial>): Promise<void> {
    for (const trial of trials) await this.addTrial(trial);
  }

  /**
   * Runs the objective in trial after trial. A value that is not a number, or NaN, ends a trial with FAIL and the study
   * goes on; so does an error of a class in `catch`. Any other error ends the trial with FAIL and is thrown.
   * Throws HpoError `NESTED_OPTIMIZE` while another call is under way.
   */
  async optimize(objective: Objective<Params>, options: OptimizeOptions<Params> = {}): Promise<OptimizeSummary> {
    if (this.optimizing) {
      throw new HpoError('NESTED_OPTIMIZE', `study ${shown(this.name)} is already optimising`, {
        place: this.name,
        remedy: 'Await that call first',
      });
    }
    this.optimizing = true;
    this.stopRequested = false;
    try {
      return await runTrials<Params, this>({ study: this, objective, options, stopped: () => this.stopRequested });
    } finally {
      this.optimizing = false;
    }
  }

  /** From an objective or a callback: no further trial starts. */
  stop(): void {
    if (!this.optimizing) {
      throw new HpoError('NOT_OPTIMIZING', 'study.stop() is for objectives and callbacks: nothing is being optimised');
    }
    this.requestStop();
  }

  requestStop(): void {
    this.stopRequested = true;
  }

  /**
   * Starts a trial: an enqueued one if there is any, else a new one; suggests the parameters of the study's space and of
   * the given one at once.
   */
  async ask<Space extends SearchSpace = Record<never, never>>(
    space: Space = {} as Space,
  ): Promise<Trial<Params & ParamsOf<Space>>> {
    return (await this.start(space, undefined))!;
  }

  /** `ask`, for the loop of `optimize`: undefined where the study has so many trials already and none waits. */
  askWithin(maxTrials: number | undefined): Promise<Trial<Params> | undefined> {
    return this.start({}, maxTrials);
  }

  private async start<Space extends SearchSpace>(
    space: Space,
    atMost: number | undefined,
  ): Promise<Trial<Params & ParamsOf<Space>> | undefined> {
    const { storage } = this;
    await storage.refresh();
    const id =
      (await this.claimWaiting()) ??
      (await (atMost === undefined ? storage.createTrial(this.id) : storage.createTrialWithin(this.id, atMost)));
    if (id === undefined) return undefined;
    try {
      const trial = new Trial<Params & ParamsOf<Space>>(
        { study: this, sampler: this.sampler, pruner: this.pruner },
        id,
      );
      for (const [name, distribution] of Object.entries({ ...this.space, ...space })) trial.suggest(name, distribution);
      return trial;
    } catch (error) {
      await this.storage.finishTrial(id, { state: 'FAIL' });
      throw error;
    }
  }

  /**
   * Ends a trial that `ask` started. Without a state: COMPLETE for a number, FAIL for anything else and NaN.
   * A PRUNED trial's value is the last one reported. Throws HpoError `FINISHED_TRIAL`, `UNKNOWN_TRIAL`,
   * `INVALID_VALUE`, `INVALID_ARGUMENT`.
   * @param trial the trial, or its number
   */
  async tell(trial: Pick<Trial, 'id'> | number, value?: number, options: TellOptions = {}): Promise<FrozenTrial> {
    checkOptions('study.tell', options, ['state', 'skipIfFinished']);
    if (typeof trial === 'number') await this.storage.refresh();
    const id = typeof trial === 'number' ? this.idOf(trial) : trial.id;
    const ended = await this.endTrial(id, { ...options, value });
    const reason = failReason(ended);
    if (reason !== undefined) this.logger.warn(`trial ${ended.number} failed: ${reason}`);
    return ended;
  }

  /** `tell` by id and without a log line, for the loop of `optimize`. */
  endTrial(trialId: number, end: Pick<TellRequest, 'value' | 'state' | 'reason' | 'skipIfFinished'>) {
    return tellTrial({ ...end, trialId, study: this, sampler: this.sampler });
  }

  /** Puts parameters in the queue: the next trial uses them, and samples those that are left out. */
  async enqueueTrial(params: Partial<Params>, options: EnqueueOptions = {}): Promise<void> {
    checkOptions('study.enqueueTrial', options, ['userAttrs', 'skipIfExists', 'atMost']);
    const fixed = jsonCopy(params, 'the parameters to enqueue') as Readonly<Record<string, JsonValue>>;
    await this.storage.refresh();
    if (options.skipIfExists && this.trials.some((trial) => hasParams(trial, fixed))) return;
    const template = trialTemplate({
      state: 'WAITING',
      userAttrs: jsonCopy(options.userAttrs ?? {}, 'the user attributes') as TrialTemplate['userAttrs'],
      systemAttrs: { [fixedParamsKey]: fixed },
    });
    if (options.atMost === undefined) await this.storage.createTrial(this.id, template);
    else await this.storage.createTrialWithin(this.id, options.atMost, template);
  }

  /**
   * Puts a RUNNING trial back into the queue under its own number, with its parameters and reports: for one that was
   * stopped, or whose worker is known to be dead, and that can be gone on with. Throws HpoError `FINISHED_TRIAL`.
   */
  async requeueTrial(trial: Pick<Trial, 'id'>): Promise<void> {
    await this.storage.requeueTrial(trial.id);
  }

  /**
   * Ends the trials whose workers have been silent for the storage's grace period, with FAIL, and puts them in the queue
   * again where `retry` says so. Of several workers that see a stale trial one does. A live worker's trials go on.
   * Returns the trials as they were left; none where the storage has no heartbeats. Source: optuna.storages.fail_stale_trials.
   */
  async failStaleTrials(options: RetryOptions = {}): Promise<readonly FrozenTrial[]> {
    checkOptions('study.failStaleTrials', options, ['retry', 'maxRetries']);
    const stale = (await this.storage.getStaleTrials?.(this.id)) ?? [];
    return failTrials(this.storage, stale, options);
  }

  /**
   * Ends the trials that are RUNNING, with FAIL: on a storage with heartbeats those of silent workers alone, on one
   * without them all, which is for a study that no other worker is at. Returns the trials as they were left.
   */
  async failRunningTrials(options: RetryOptions = {}): Promise<readonly FrozenTrial[]> {
    checkOptions('study.failRunningTrials', options, ['retry', 'maxRetries']);
    await this.storage.refresh();
    const running = this.getTrials(['RUNNING']);
    const alive = new Set(running.map(({ id }) => id));
    if (this.storage.heartbeat !== undefined) {
      for (const { id } of (await this.storage.getStaleTrials?.(this.id)) ?? []) alive.delete(id);
    } else alive.clear();
    return failTrials(
      this.storage,
      running.filter(({ id }) => !alive.has(id)),
      options,
    );
  }

  /** Sends what is still on its way, and fetches what other workers wrote. */
  async refresh(): Promise<void> {
    await this.storage.refresh();
  }

  private async claimWaiting(): Promise<number | undefined> {
    for (const { id } of this.getTrials(['WAITING'])) {
      try {
        if (await this.storage.claimTrial(id)) return id;
      } catch (error) {
        // Another worker has claimed and ended it in between.
        if (!(HpoError.isInstance(error) && error.code === 'FINISHED_TRIAL')) throw error;
      }
    }
    return undefined;
  }

  private idOf(number: number): number {
    const trial = this.trials[number];
    if (trial === undefined) {
      throw new HpoError('UNKNOWN_TRIAL', `study ${shown(this.name)} has no trial ${shown(number)}`, { value: number });
    }
    return trial.id;
  }
}

/** Whether a trial has, or was told to use, exactly these parameters; numbers to five digits, as numpy.isclose. */
function hasParams(trial: FrozenTrial, params: Readonly<Record<string, JsonValue>>): boolean {
  const theirs = (ownProperty(trial.systemAttrs, fixedParamsKey) ?? trial.params) as Readonly<
    Record<string, JsonValue>
  >;
  const names = Object.keys(params);
  if (names.length !== Object.keys(theirs).length) return false;
  return names.every((name) => {
    if (!Object.hasOwn(theirs, name)) return false;
    const [ours, other] = [params[name], theirs[name]];
    if (typeof ours !== 'number' || typeof other !== 'number') return ours === other;
    return Object.is(ours, other) || Math.abs(ours - other) <= 1e-5 * Math.abs(other);
  });
}
