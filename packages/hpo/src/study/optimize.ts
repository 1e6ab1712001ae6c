import { checkOptions } from '../check-options';
import { type AnyParams } from '../distribution/distribution';
import { HpoError, shown, TrialPruned } from '../errors';
import { type FrozenTrial } from '../trial/frozen-trial';
import { type Trial } from '../trial/trial';
import { type StudyView } from './study-view';
import { failReason, type TellRequest } from './tell';
import { type RetryOptions } from './unfinished';

export type Objective<Params extends object = AnyParams> = (trial: Trial<Params>) => number | Promise<number>;
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** How `study.optimize` runs; `S` is the class of the study. */
export interface LoopOptions<S, Params extends object = AnyParams> {
  /** Trials to start; left out: until the time is over, `study.stop()` or the signal. */
  nTrials?: number;
  /** No trial starts after so many milliseconds; the ones under way go on. */
  timeoutMs?: number;
  /** Trials under way at once. With more than 1 the order of events, and so the suggestions, hang on their speed. */
  nJobs?: number;
  /** Errors that end the trial and not the study. */
  catch?: ErrorClass | readonly ErrorClass[];
  /** Called after each trial that did not end the study, one after the other. */
  callbacks?: readonly ((study: S, trial: FrozenTrial) => void | Promise<void>)[];
  /** Called when a trial starts, before its objective. */
  onTrialStart?: (study: S, trial: Trial<Params>) => void | Promise<void>;
  /** On abort, the trials under way end with FAIL at once, and `optimize` throws the signal's reason. */
  signal?: AbortSignal;
}

/** What the loop does with a study. */
interface LoopStudy<Params extends object> extends StudyView {
  ask(): Promise<Trial<Params>>;
  endTrial(trialId: number, end: Pick<TellRequest, 'value' | 'state' | 'reason'>): Promise<FrozenTrial>;
  failStaleTrials(options: RetryOptions): Promise<readonly FrozenTrial[]>;
}

/** What one call of `optimize` did. */
export interface OptimizeSummary {
  complete: number;
  pruned: number;
  failed: number;
  failures: { number: number; reason: string }[];
}

/** Longest time without giving the event loop a turn, so that timers and aborts get through between quick trials. */
const turnMs = 20;

function checkOptimizeOptions<S, Params extends object>(options: LoopOptions<S, Params>): void {
  checkOptions('study.optimize', options, [
    'nTrials',
    'timeoutMs',
    'nJobs',
    'catch',
    'callbacks',
    'onTrialStart',
    'signal',
  ]);
  const { nTrials, timeoutMs, nJobs = 1 } = options;
  const refuse = (name: string, need: string, value: unknown) =>
    new HpoError('INVALID_ARGUMENT', `${name} must be ${need}, but is ${shown(value)}`, { value });
  if (nTrials !== undefined && !(Number.isInteger(nTrials) && nTrials >= 0)) {
    throw refuse('nTrials', 'an integer of at least 0', nTrials);
  }
  if (timeoutMs !== undefined && !(timeoutMs >= 0)) throw refuse('timeoutMs', 'a number of at least 0', timeoutMs);
  if (!(Number.isInteger(nJobs) && nJobs >= 1)) throw refuse('nJobs', 'an integer of at least 1', nJobs);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${shown(error)}`;
}

/** Has the storage hear from a running trial, until the timer is cleared. */
function beating({ storage, logger }: StudyView, trialId: number): ReturnType<typeof setInterval> | undefined {
  if (storage.heartbeat === undefined) return undefined;
  const beat = async () => {
    try {
      await storage.recordHeartbeat?.(trialId);
    } catch (error) {
      logger.warn(`no heartbeat could be stored: ${describe(error)}`);
    }
  };
  void beat();
  return setInterval(() => void beat(), storage.heartbeat.intervalMs);
}

/** The promise's result, or the signal's reason as soon as it aborts. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * The loop of `study.optimize`. Source: optuna.study._optimize. `stopped` is the study's own flag.
 */
export async function runTrials<Params extends object, S extends LoopStudy<Params>>({
  study,
  objective,
  options,
  stopped,
}: {
  study: S;
  objective: Objective<Params>;
  options: LoopOptions<S, Params>;
  stopped: () => boolean;
}): Promise<OptimizeSummary> {
  checkOptimizeOptions(options);
  const { nTrials = Infinity, timeoutMs = Infinity, nJobs = 1, signal } = options;
  const caught = [options.catch ?? []].flat() as readonly ErrorClass[];
  const summary: OptimizeSummary = { complete: 0, pruned: 0, failed: 0, failures: [] };
  const begin = performance.now();
  let lastTurn = begin;
  let started = 0;
  let broken = false;

  const mayStart = () =>
    !broken && !stopped() && !signal?.aborted && started < nTrials && performance.now() - begin < timeoutMs;

  async function runOne(): Promise<void> {
    await study.failStaleTrials({ retry: true, maxRetries: 1 });
    const trial = await study.ask();
    const heart = beating(study, trial.id);
    let outcome: { value: unknown } | { pruned: TrialPruned } | { error: unknown };
    try {
      await options.onTrialStart?.(study, trial);
      signal?.throwIfAborted();
      const running = Promise.resolve().then(() => objective(trial));
      outcome = { value: await orAbort(running, signal) };
    } catch (error) {
      outcome = TrialPruned.isInstance(error) && !signal?.aborted ? { pruned: error } : { error };
    } finally {
      clearInterval(heart);
    }
    let ended: FrozenTrial;
    if ('value' in outcome) ended = await study.endTrial(trial.id, { value: outcome.value });
    else if ('pruned' in outcome) ended = await study.endTrial(trial.id, { state: 'PRUNED' });
    else ended = await study.endTrial(trial.id, { state: 'FAIL', reason: describe(outcome.error) });
    count(ended);
    if ('error' in outcome) {
      const { error } = outcome;
      if (signal?.aborted || !caught.some((kind) => error instanceof kind)) throw error;
    }
    for (const callback of options.callbacks ?? []) await callback(study, ended);
  }

  function count(ended: FrozenTrial): void {
    const name = `trial ${ended.number}`;
    if (ended.state === 'COMPLETE') {
      summary.complete++;
      study.logger.info(`${name} completed with ${ended.value}, ${shown(ended.params)}`);
    } else if (ended.state === 'PRUNED') {
      summary.pruned++;
      study.logger.info(`${name} was pruned at ${ended.value}, ${shown(ended.params)}`);
    } else {
      const reason = failReason(ended) ?? 'no reason given';
      summary.failed++;
      summary.failures.push({ number: ended.number, reason });
      study.logger.warn(`${name} failed: ${reason}; its parameters: ${shown(ended.params)}`);
    }
  }

  async function work(): Promise<void> {
    while (mayStart()) {
      started++;
      try {
        await runOne();
      } catch (error) {
        broken = true;
        throw error;
      }
      if (performance.now() - lastTurn > turnMs) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        lastTurn = performance.now();
      }
    }
  }

  signal?.throwIfAborted();
  // The other jobs end their trials before the first error is passed on.
  const results = await Promise.allSettled(Array.from({ length: Math.min(nJobs, nTrials) }, work));
  signal?.throwIfAborted();
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return summary;
}
