import { HpoError } from '../errors';
import { type JsonValue } from '../json-value';
import { ownProperty } from '../own-property';
import { type Storage, trialTemplate } from '../storage/storage';
import { type FrozenTrial } from '../trial/frozen-trial';

export interface FailRunningOptions {
  /** Puts each trial in the queue again, with the parameters it had. */
  retry?: boolean;
  /** A trial that was retried so many times is not retried any more. */
  maxRetries?: number;
}

/** A trial in the queue that repeats an unfinished one. Source: optuna.storages.RetryHeartbeatStaleTrialCallback. */
async function enqueueAgain(storage: Storage, studyId: number, trial: FrozenTrial, maxRetries: number): Promise<void> {
  const before = ownProperty(trial.systemAttrs, 'retry_history') ?? [];
  const history: readonly JsonValue[] = [
    ...(Array.isArray(before) ? (before as readonly JsonValue[]) : []),
    trial.number,
  ];
  if (history.length > maxRetries) return;
  await storage.createTrial(
    studyId,
    trialTemplate({
      state: 'WAITING',
      params: trial.params,
      distributions: trial.distributions,
      unreadableParams: trial.unreadableParams,
      userAttrs: trial.userAttrs,
      systemAttrs: { failed_trial: trial.number, ...trial.systemAttrs, retry_history: history },
    }),
  );
}

/** Ends a study's RUNNING trials with FAIL; returns them as they were. */
export async function failRunningTrials(
  storage: Storage,
  studyId: number,
  { retry = false, maxRetries = Infinity }: FailRunningOptions,
): Promise<readonly FrozenTrial[]> {
  await storage.refresh();
  const ended: FrozenTrial[] = [];
  for (const trial of storage.getTrials(studyId, ['RUNNING'])) {
    try {
      await storage.finishTrial(trial.id, { state: 'FAIL' });
    } catch (error) {
      // It was not left behind after all: its worker has just ended it.
      if (HpoError.isInstance(error) && error.code === 'FINISHED_TRIAL') continue;
      throw error;
    }
    ended.push(trial);
    if (retry) await enqueueAgain(storage, studyId, trial, maxRetries);
  }
  return ended;
}
