import { HpoError, shown } from '../errors';
import { ownProperty } from '../own-property';
import { type Sampler } from '../sampler/sampler';
import { type FinishedTrial } from '../storage/storage';
import { type FinishedState, type FrozenTrial, isFinished } from '../trial/frozen-trial';
import { type StudyView } from './study-view';

/** System attribute that says why a trial failed. Ours; Optuna only logs it. */
const failReasonKey = 'fail_reason';
const reasonLimit = 1000;

/** Why a trial failed, as far as anyone said. */
export function failReason(trial: FrozenTrial): string | undefined {
  const reason = ownProperty(trial.systemAttrs, failReasonKey);
  return typeof reason === 'string' ? reason : undefined;
}

export interface TellOptions {
  /** How the trial ended; left out: COMPLETE with a usable value, else FAIL. */
  state?: FinishedState;
  /** Leaves a trial that has already ended as it is, instead of throwing. */
  skipIfFinished?: boolean;
}

export interface TellRequest extends TellOptions {
  study: StudyView;
  sampler: Sampler;
  trialId: number;
  value?: unknown;
  /** Why a trial ends with FAIL, where an error says so. */
  reason?: string;
}

/** What is wrong with an objective's value, or undefined. */
function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'number') return `the value ${shown(value)} is not a number`;
  return Number.isNaN(value) ? 'the value NaN is not acceptable' : undefined;
}

function checkRequest({ state, value }: TellRequest): void {
  if (state === 'COMPLETE') {
    const problem = problemOf(value);
    if (problem !== undefined) {
      throw new HpoError('INVALID_VALUE', `a trial can't be told COMPLETE: ${problem}`, { value });
    }
  } else if (state !== undefined) {
    if (state !== 'PRUNED' && state !== 'FAIL') {
      throw new HpoError('INVALID_ARGUMENT', `a trial can't be told the state ${shown(state)}`, { value: state });
    }
    if (value !== undefined) {
      throw new HpoError('INVALID_ARGUMENT', `a trial told ${state} takes no value, but got ${shown(value)}`, {
        value,
      });
    }
  }
}

/** The end a request comes to. A pruned trial's value is the last it reported, unless that is NaN. */
function endOf(request: TellRequest, trial: FrozenTrial): { state: FinishedState; value?: number; reason?: string } {
  const { state, value, reason } = request;
  if (state === 'PRUNED') {
    const step = trial.intermediateValues.lastStep;
    const last = step === undefined ? undefined : trial.intermediateValues.get(step);
    return { state, value: problemOf(last) === undefined ? last : undefined };
  }
  if (state === 'FAIL') return { state, reason };
  const problem = problemOf(value);
  return problem === undefined ? { state: 'COMPLETE', value: value as number } : { state: 'FAIL', reason: problem };
}

/** Stores a trial's end; whose answer was lost before may find it stored already. */
async function finished({ study, trialId, skipIfFinished }: TellRequest, end: FinishedTrial): Promise<void> {
  try {
    await study.storage.finishTrial(trialId, end);
  } catch (error) {
    if (!(skipIfFinished && HpoError.isInstance(error) && error.code === 'FINISHED_TRIAL')) throw error;
  }
}

/**
 * Ends a trial as Optuna does. Source: optuna.study._tell. Throws HpoError `FINISHED_TRIAL`, `INVALID_VALUE`,
 * `INVALID_ARGUMENT`.
 */
export async function tellTrial(request: TellRequest): Promise<FrozenTrial> {
  const { study, sampler, trialId, skipIfFinished = false } = request;
  const { storage } = study;
  const trial = storage.getTrial(trialId);
  if (isFinished(trial.state) && skipIfFinished) return trial;
  if (trial.state !== 'RUNNING') {
    throw new HpoError(
      isFinished(trial.state) ? 'FINISHED_TRIAL' : 'INVALID_ARGUMENT',
      `trial ${trial.number} can't be told anything: it is ${trial.state}, not RUNNING`,
      { value: trial.number },
    );
  }
  checkRequest(request);
  const { state, value, reason } = endOf(request, trial);
  try {
    sampler.afterTrial?.(study, trial, state);
  } finally {
    if (reason !== undefined) storage.setTrialSystemAttr(trialId, failReasonKey, reason.slice(0, reasonLimit));
    await finished(request, { state, value });
  }
  return storage.getTrial(trialId);
}
