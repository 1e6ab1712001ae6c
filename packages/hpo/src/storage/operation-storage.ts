import { type Distribution } from '../distribution/distribution';
import { type JsonValue } from '../json-value';
import { type Direction } from '../study/direction';
import { type FrozenTrial, isFinished, type TrialState } from '../trial/frozen-trial';
import { HpoError } from '../errors';
import { type Ledger } from './ledger';
import { type Operation } from './operation';
import { type FinishedTrial, type FrozenStudy, startedTrial, type Storage } from './storage';

/** A storage whose every change is one operation on a ledger; how operations become lasting is the subclass's part. */
export abstract class OperationStorage implements Storage {
  /** The ledger with everything known to this moment. */
  protected abstract upToDate(): Ledger;
  /** Makes the operation lasting and applies it; returns what `Ledger.apply` does, and throws what that throws. */
  protected abstract commit(operation: Operation): number | undefined;

  createStudy({ name, directions }: { name: string; directions: readonly Direction[] }): number {
    return this.commit({ kind: 'create-study', name, directions })!;
  }

  deleteStudy(studyId: number): void {
    this.commit({ kind: 'delete-study', studyId });
  }

  setStudyUserAttr(studyId: number, key: string, value: JsonValue): void {
    this.commit({ kind: 'set-study-user-attr', studyId, key, value });
  }

  setStudySystemAttr(studyId: number, key: string, value: JsonValue): void {
    this.commit({ kind: 'set-study-system-attr', studyId, key, value });
  }

  createTrial(studyId: number, template = startedTrial()): number {
    return this.commit({ kind: 'create-trial', studyId, template })!;
  }

  createTrialWithin(studyId: number, atMost: number, template = startedTrial()): number | undefined {
    return this.commit({ kind: 'create-trial', studyId, template, atMost });
  }

  requeueTrial(trialId: number): void {
    this.commit({ kind: 'requeue-trial', trialId });
  }

  claimTrial(trialId: number): boolean {
    const { state, number } = this.upToDate().trial(trialId);
    if (isFinished(state)) {
      throw new HpoError('FINISHED_TRIAL', `trial ${number} has already ended (${state}) and can't start`, {
        value: number,
      });
    }
    if (state === 'RUNNING') return false;
    return this.commit({ kind: 'start-trial', trialId, datetimeStart: new Date() }) === trialId;
  }

  finishTrial(trialId: number, { state, value, retry }: FinishedTrial): void {
    const values = value === undefined ? undefined : [value];
    this.commit({ kind: 'finish-trial', trialId, state, values, datetimeComplete: new Date() });
    if (retry !== undefined) this.createTrial(this.upToDate().studyIdOf(trialId), retry);
  }

  refresh(): void {
    this.upToDate();
  }

  getStudies(): readonly FrozenStudy[] {
    return this.upToDate().studies();
  }

  getStudy(studyId: number): FrozenStudy {
    return this.upToDate().study(studyId);
  }

  getTrial(trialId: number): FrozenTrial {
    return this.upToDate().trial(trialId);
  }

  getTrials(studyId: number, states?: readonly TrialState[]): readonly FrozenTrial[] {
    return this.upToDate().trials(studyId, states);
  }

  setTrialParam(trialId: number, name: string, internalValue: number, distribution: Distribution): void {
    this.commit({ kind: 'set-param', trialId, name, internalValue, distribution });
  }

  setTrialIntermediateValue(trialId: number, step: number, value: number): void {
    this.commit({ kind: 'set-intermediate-value', trialId, step, value });
  }

  setTrialUserAttr(trialId: number, key: string, value: JsonValue): void {
    this.commit({ kind: 'set-trial-user-attr', trialId, key, value });
  }

  setTrialSystemAttr(trialId: number, key: string, value: JsonValue): void {
    this.commit({ kind: 'set-trial-system-attr', trialId, key, value });
  }
}
