import { checkCompatible, toExternal } from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { withEntry } from '../ordered-record';
import { ownProperty } from '../own-property';
import { type FrozenTrial, isFinished, paramsRecord, type TrialState, unreadableParam } from '../trial/frozen-trial';
import { type Operation } from './operation';
import { type FrozenStudy } from './storage';

/**
 * The state that a sequence of operations leads to. One set of rules for every storage that keeps its studies as such
 * a sequence. Source: optuna.storages.journal._storage.JournalStorageReplayResult.
 *
 * An operation that can't be (a study that isn't there, a trial that has ended) changes nothing and throws; a storage
 * that replays other workers' operations drops that error, as every other worker does.
 */
export class Ledger {
  private readonly byId = new Map<number, FrozenStudy>();
  private readonly all: FrozenTrial[] = [];
  private readonly studyOfTrial: number[] = [];
  private readonly trialsOfStudy = new Map<number, number[]>();
  private nextStudyId = 0;

  studies(): FrozenStudy[] {
    return [...this.byId.values()];
  }

  study(studyId: number): FrozenStudy {
    const study = this.byId.get(studyId);
    if (study === undefined) {
      throw new HpoError('UNKNOWN_STUDY', `the storage has no study with id ${shown(studyId)}`, { value: studyId });
    }
    return study;
  }

  trial(trialId: number): FrozenTrial {
    const trial = this.all[trialId];
    if (trial === undefined) {
      throw new HpoError('UNKNOWN_TRIAL', `the storage has no trial with id ${shown(trialId)}`, { value: trialId });
    }
    return trial;
  }

  trials(studyId: number, states?: readonly TrialState[]): FrozenTrial[] {
    this.study(studyId);
    const trials = this.trialsOfStudy.get(studyId)!.map((id) => this.all[id]!);
    return states === undefined ? trials : trials.filter((trial) => states.includes(trial.state));
  }

  /** Returns the id of the study or trial that was made, or of the trial that was started; otherwise undefined. */
  apply(operation: Operation): number | undefined {
    switch (operation.kind) {
      case 'create-study':
        return this.createStudy(operation);
      case 'delete-study':
        this.study(operation.studyId);
        this.byId.delete(operation.studyId);
        return undefined;
      case 'set-study-user-attr': {
        const study = this.study(operation.studyId);
        const userAttrs = withEntry(study.userAttrs, operation.key, operation.value);
        this.byId.set(study.id, Object.freeze({ ...study, userAttrs }));
        return undefined;
      }
      case 'set-study-system-attr': {
        const study = this.study(operation.studyId);
        const systemAttrs = withEntry(study.systemAttrs, operation.key, operation.value);
        this.byId.set(study.id, Object.freeze({ ...study, systemAttrs }));
        return undefined;
      }
      case 'create-trial':
        return this.createTrial(operation);
      case 'discard-trials':
        return undefined;
      default:
        return this.changeTrial(operation);
    }
  }

  private createStudy({ name, directions }: Operation & { kind: 'create-study' }): number {
    if (this.studies().some((study) => study.name === name)) {
      throw new HpoError('DUPLICATED_STUDY', `the storage already has a study named ${shown(name)}`, {
        place: name,
        value: name,
        remedy: 'Choose another name, or set loadIfExists',
      });
    }
    const id = this.nextStudyId++;
    this.byId.set(id, Object.freeze({ id, name, directions: [...directions], userAttrs: {}, systemAttrs: {} }));
    this.trialsOfStudy.set(id, []);
    return id;
  }

  private createTrial({ studyId, template }: Operation & { kind: 'create-trial' }): number {
    this.study(studyId);
    const id = this.all.length;
    const siblings = this.trialsOfStudy.get(studyId)!;
    this.all.push(Object.freeze({ ...template, id, number: siblings.length }));
    this.studyOfTrial.push(studyId);
    siblings.push(id);
    return id;
  }

  private changeTrial(operation: Extract<Operation, { trialId: number }>): number | undefined {
    const trial = this.trial(operation.trialId);
    if (isFinished(trial.state)) {
      throw new HpoError(
        'FINISHED_TRIAL',
        `trial ${trial.number} has already ended (${trial.state}) and can't be changed any more`,
        { value: trial.number },
      );
    }
    const change = (changes: Partial<FrozenTrial>) => {
      this.all[trial.id] = Object.freeze({ ...trial, ...changes });
    };
    switch (operation.kind) {
      case 'set-param': {
        const { name, internalValue, distribution } = operation;
        this.checkParam(trial, name, distribution);
        const values = [...Object.entries(trial.params), [name, toExternal(distribution, internalValue)] as const];
        change({
          params: paramsRecord(values, trial.unreadableParams),
          distributions: withEntry(trial.distributions, name, distribution),
        });
        return undefined;
      }
      case 'set-unreadable-param': {
        const unreadableParams = withEntry(trial.unreadableParams, operation.name, operation.problem);
        change({ unreadableParams, params: paramsRecord(Object.entries(trial.params), unreadableParams) });
        return undefined;
      }
      case 'start-trial':
        // Another worker has it already: the claim fails, nothing changes.
        if (trial.state === 'RUNNING') return undefined;
        change({ state: 'RUNNING', datetimeStart: operation.datetimeStart });
        return trial.id;
      case 'requeue-trial':
        change({ state: 'WAITING' });
        return undefined;
      case 'finish-trial': {
        const { state, values, datetimeComplete } = operation;
        change({
          state,
          datetimeComplete,
          ...(values && { values, value: values.length === 1 ? values[0] : undefined }),
        });
        return undefined;
      }
      case 'set-intermediate-value':
        change({ intermediateValues: new Map(trial.intermediateValues).set(operation.step, operation.value) });
        return undefined;
      case 'set-trial-user-attr':
        change({ userAttrs: withEntry(trial.userAttrs, operation.key, operation.value) });
        return undefined;
      case 'set-trial-system-attr':
        change({ systemAttrs: withEntry(trial.systemAttrs, operation.key, operation.value) });
        return undefined;
    }
  }

  /** A name keeps to the distribution that the study's first trial with it used, as far as `checkCompatible` asks. */
  private checkParam(trial: FrozenTrial, name: string, now: FrozenTrial['distributions'][string]): void {
    const siblings = this.trialsOfStudy.get(this.studyOfTrial[trial.id]!)!;
    for (const id of siblings) {
      const { distributions, unreadableParams } = this.all[id]!;
      const problem = ownProperty(unreadableParams, name);
      if (problem !== undefined) throw unreadableParam(name, problem);
      const before = ownProperty(distributions, name);
      if (before !== undefined) return checkCompatible({ name, before, now });
    }
  }
}
