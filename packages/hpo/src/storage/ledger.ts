import { checkCompatible, type Distribution, toExternal } from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { ownProperty } from '../own-property';
import { withEntry } from '../ordered-record';
import { type FrozenTrial, isFinished, paramsRecord, type TrialState, unreadableParam } from '../trial/frozen-trial';
import { type Operation } from './operation';
import { type FrozenStudy, retryHistoryKey } from './storage';
import { TrialTable } from './trial-table';

/** An operation on one trial. */
export type TrialOperation = Extract<Operation, { trialId: number }>;

interface StudyState {
  study: FrozenStudy;
  readonly trials: TrialTable;
  /** Trials that repeat no other. */
  originals: number;
  /** By name, the first distribution that was used; or why it can't be read. */
  readonly params: Map<string, Distribution | { problem: string }>;
}

function isRetry({ systemAttrs }: Pick<FrozenTrial, 'systemAttrs'>): boolean {
  return Object.hasOwn(systemAttrs, retryHistoryKey);
}

/**
 * The state that a sequence of operations leads to. One set of rules for every storage that keeps its studies as such
 * a sequence. Source: optuna.storages.journal._storage.JournalStorageReplayResult.
 *
 * An operation that can't be (a study that isn't there, a trial that has ended) changes nothing and throws; a storage
 * that replays other workers' operations drops that error, as every other worker does.
 */
export class Ledger {
  private readonly states = new Map<number, StudyState>();
  private readonly idsByName = new Map<string, number>();
  private readonly studyOfTrial = new Map<number, StudyState>();
  private readonly numberOfTrial = new Map<number, number>();
  private nextStudyId = 0;
  private nextTrialId = 0;

  /** Every study, in the order in which they were made. */
  studies(): FrozenStudy[] {
    return Array.from(this.states.values(), ({ study }) => study);
  }

  /** Throws HpoError `UNKNOWN_STUDY`. */
  study(studyId: number): FrozenStudy {
    return this.stateOf(studyId).study;
  }

  /** Throws HpoError `UNKNOWN_TRIAL`. */
  trial(trialId: number): FrozenTrial {
    return this.trialsWith(trialId).at(this.numberOfTrial.get(trialId)!);
  }

  /** A study's trials by number; with `states`, those in one of them. Throws HpoError `UNKNOWN_STUDY`. */
  trials(studyId: number, states?: readonly TrialState[]): readonly FrozenTrial[] {
    return this.stateOf(studyId).trials.list(states);
  }

  /** Whether a study has fewer trials than that, retries aside. Throws HpoError `UNKNOWN_STUDY`. */
  hasRoom(studyId: number, atMost: number): boolean {
    return this.stateOf(studyId).originals < atMost;
  }

  /** The study that a trial is part of. Throws HpoError `UNKNOWN_TRIAL`. */
  studyIdOf(trialId: number): number {
    this.trial(trialId);
    return this.studyOfTrial.get(trialId)!.study.id;
  }

  /** Whether a trial's study has used a name before. */
  knowsParam(trialId: number, name: string): boolean {
    return this.studyOfTrial.get(trialId)?.params.has(name) ?? false;
  }

  /** Takes a study as another store holds it. */
  putStudy(study: FrozenStudy): void {
    const state = this.states.get(study.id);
    if (state === undefined) this.addStudy(study);
    else state.study = Object.freeze(study);
  }

  /** Takes a trial as another store holds it. Throws HpoError `CORRUPT_STORAGE` where numbers are left out. */
  putTrial(studyId: number, trial: FrozenTrial): void {
    const state = this.stateOf(studyId);
    const { trials } = state;
    if (trial.number > trials.length) {
      throw new HpoError(
        'CORRUPT_STORAGE',
        `study ${shown(state.study.name)} has a trial ${trial.number}, but only ${trials.length} before it`,
        {
          place: state.study.name,
          value: trial.number,
        },
      );
    }
    this.studyOfTrial.set(trial.id, state);
    this.numberOfTrial.set(trial.id, trial.number);
    if (trial.number < trials.length) trials.replace(Object.freeze(trial));
    else {
      trials.add(Object.freeze(trial));
      if (!isRetry(trial)) state.originals++;
    }
    this.learnParams(state, trial);
  }

  /** Forgets a study that is gone from another store. */
  dropStudy(studyId: number): void {
    const { study } = this.stateOf(studyId);
    this.states.delete(study.id);
    this.idsByName.delete(study.name);
  }

  /** Returns the id of the study or trial that was made, or of the trial that was started; otherwise undefined. */
  apply(operation: Operation): number | undefined {
    switch (operation.kind) {
      case 'create-study':
        return this.createStudy(operation);
      case 'delete-study':
        this.dropStudy(operation.studyId);
        return undefined;
      case 'set-study-user-attr': {
        const state = this.stateOf(operation.studyId);
        const userAttrs = withEntry(state.study.userAttrs, operation.key, operation.value);
        state.study = Object.freeze({ ...state.study, userAttrs });
        return undefined;
      }
      case 'set-study-system-attr': {
        const state = this.stateOf(operation.studyId);
        const systemAttrs = withEntry(state.study.systemAttrs, operation.key, operation.value);
        state.study = Object.freeze({ ...state.study, systemAttrs });
        return undefined;
      }
      case 'create-trial':
        return this.createTrial(operation);
      case 'discard-trials':
        return undefined;
      default: {
        const before = this.trial(operation.trialId);
        const after = this.preview(before, operation);
        if (after === before) return undefined;
        const state = this.studyOfTrial.get(before.id)!;
        state.trials.replace(after);
        this.learnParams(state, after, operation);
        return operation.kind === 'start-trial' ? before.id : undefined;
      }
    }
  }

  /**
   * What an operation would make of a trial; the trial itself where it would change nothing. Throws HpoError
   * `FINISHED_TRIAL`, `INCOMPATIBLE_DISTRIBUTION`, `UNSUPPORTED`.
   */
  preview(trial: FrozenTrial, operation: TrialOperation): FrozenTrial {
    if (isFinished(trial.state)) {
      throw new HpoError(
        'FINISHED_TRIAL',
        `trial ${trial.number} has already ended (${trial.state}) and can't be changed any more`,
        { value: trial.number },
      );
    }
    const change = (changes: Partial<FrozenTrial>) => Object.freeze({ ...trial, ...changes });
    switch (operation.kind) {
      case 'set-param': {
        const { name, internalValue, distribution } = operation;
        this.checkParam(trial, name, distribution);
        const values = [...Object.entries(trial.params), [name, toExternal(distribution, internalValue)] as const];
        return change({
          params: paramsRecord(values, trial.unreadableParams),
          distributions: withEntry(trial.distributions, name, distribution),
        });
      }
      case 'set-unreadable-param': {
        const unreadableParams = withEntry(trial.unreadableParams, operation.name, operation.problem);
        return change({ unreadableParams, params: paramsRecord(Object.entries(trial.params), unreadableParams) });
      }
      case 'start-trial':
        // Another worker has it already: the claim fails, nothing changes.
        if (trial.state === 'RUNNING') return trial;
        return change({ state: 'RUNNING', datetimeStart: operation.datetimeStart });
      case 'requeue-trial':
        return change({ state: 'WAITING' });
      case 'finish-trial': {
        const { state, values, datetimeComplete } = operation;
        return change({
          state,
          datetimeComplete,
          ...(values && { values, value: values.length === 1 ? values[0] : undefined }),
        });
      }
      case 'set-intermediate-value':
        return change({ intermediateValues: trial.intermediateValues.with(operation.step, operation.value) });
      case 'set-trial-user-attr':
        return change({ userAttrs: withEntry(trial.userAttrs, operation.key, operation.value) });
      case 'set-trial-system-attr':
        return change({ systemAttrs: withEntry(trial.systemAttrs, operation.key, operation.value) });
    }
  }

  private stateOf(studyId: number): StudyState {
    const state = this.states.get(studyId);
    if (state === undefined) {
      throw new HpoError('UNKNOWN_STUDY', `the storage has no study with id ${shown(studyId)}`, { value: studyId });
    }
    return state;
  }

  private trialsWith(trialId: number): TrialTable {
    const state = this.studyOfTrial.get(trialId);
    if (state === undefined) {
      throw new HpoError('UNKNOWN_TRIAL', `the storage has no trial with id ${shown(trialId)}`, { value: trialId });
    }
    return state.trials;
  }

  private createStudy({ name, directions }: Operation & { kind: 'create-study' }): number {
    if (this.idsByName.has(name)) {
      throw new HpoError('DUPLICATED_STUDY', `the storage already has a study named ${shown(name)}`, {
        place: name,
        value: name,
        remedy: 'Choose another name, or set loadIfExists',
      });
    }
    const id = this.nextStudyId++;
    this.addStudy({ id, name, directions: [...directions], userAttrs: {}, systemAttrs: {} });
    return id;
  }

  private addStudy(study: FrozenStudy): void {
    this.states.set(study.id, {
      study: Object.freeze(study),
      trials: new TrialTable(),
      originals: 0,
      params: new Map(),
    });
    this.idsByName.set(study.name, study.id);
  }

  private createTrial({ studyId, template, atMost }: Operation & { kind: 'create-trial' }): number | undefined {
    const state = this.stateOf(studyId);
    if (atMost !== undefined && state.originals >= atMost) return undefined;
    const trial = Object.freeze({ ...template, id: this.nextTrialId++, number: state.trials.length });
    this.studyOfTrial.set(trial.id, state);
    this.numberOfTrial.set(trial.id, trial.number);
    state.trials.add(trial);
    if (!isRetry(trial)) state.originals++;
    this.learnParams(state, trial);
    return trial.id;
  }

  /** Keeps the first distribution of every name. */
  private learnParams({ params }: StudyState, trial: FrozenTrial, operation?: TrialOperation): void {
    if (operation?.kind === 'set-param') {
      if (!params.has(operation.name)) params.set(operation.name, operation.distribution);
    } else if (operation?.kind === 'set-unreadable-param') {
      if (!params.has(operation.name)) params.set(operation.name, { problem: operation.problem });
    } else if (operation === undefined) {
      for (const [name, distribution] of Object.entries(trial.distributions)) {
        if (!params.has(name)) params.set(name, distribution);
      }
      for (const [name, problem] of Object.entries(trial.unreadableParams)) {
        if (!params.has(name)) params.set(name, { problem });
      }
    }
  }

  /** A name keeps to the distribution that the study first used for it, as far as `checkCompatible` asks. */
  private checkParam(trial: FrozenTrial, name: string, now: Distribution): void {
    const before = this.studyOfTrial.get(trial.id)!.params.get(name) ?? ownProperty(trial.distributions, name);
    if (before === undefined) return;
    if ('problem' in before) throw unreadableParam(name, before.problem);
    checkCompatible({ name, before, now });
  }
}
