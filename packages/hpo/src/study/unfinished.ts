import { HpoError } from '../errors';
import { type JsonValue } from '../json-value';
import { ownProperty } from '../own-property';
import { retryHistoryKey, type Storage, type TrialTemplate, trialTemplate } from '../storage/storage';
import { type FrozenTrial } from '../trial/frozen-trial';

export interface RetryOptions {
  /** Puts each trial in the queue again, with the parameters it had. */
  retry?: boolean;
  /** A trial that was retried so many times is not retried any more. */
  maxRetries?: number;
}

/** A trial in the queue that repeats an unfinished one. Source: optuna.storages.RetryHeartbeatStaleTrialCallback. */
function retryOf(trial: FrozenTrial, maxRetries: number): TrialTemplate | undefined {
  const before = ownProperty(trial.systemAttrs, retryHistoryKey) ?? [];
  const history: readonly JsonValue[] = [
    ...(Array.isArray(before) ? (before as readonly JsonValue[]) : []),
    trial.number,
  ];
  if (history.length > maxRetries) return undefined;
  return trialTemplate({
    state: 'WAITING',
    params: trial.params,
    distributions: trial.distributions,
    unreadableParams: trial.unreadableParams,
    userAttrs: trial.userAttrs,
    systemAttrs: { failed_trial: trial.number, ...trial.systemAttrs, [retryHistoryKey]: history },
  });
}

/** Ends trials with FAIL, and returns those that this call, and no other worker's, ended. */
export async function failTrials(
  storage: Storage,
  trials: readonly FrozenTrial[],
  { retry = false, maxRetries = Infinity }: RetryOptions,
): Promise<readonly FrozenTrial[]> {
  const ended: FrozenTrial[] = [];
  for (const trial of trials) {
    try {
      await storage.finishTrial(trial.id, { state: 'FAIL', retry: retry ? retryOf(trial, maxRetries) : undefined });
    } catch (error) {
      // It was not left behind after all, or another worker saw it first.
      if (HpoError.isInstance(error) && error.code === 'FINISHED_TRIAL') continue;
      throw error;
    }
    ended.push(trial);
  }
  return ended;
}
