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
  /**
   * Trials of the study in all, those of earlier runs and of other workers among them; one that repeats a failed one does
   * not count. While other workers' trials run and heartbeats can tell them from dead ones', it waits and takes over what
   * is left behind; a trial without a heartbeat is waited for until the grace period after its start is over.
   */
  maxTrials?: number;
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
  /**
   * Errors after which a trial goes back into the queue as it is, to be gone on with, instead of ending with FAIL;
   * `optimize` throws them. An objective that is given this ends by itself when the signal is aborted.
   */
  interrupted?: (error: unknown) => boolean;
  /** On abort, the trials under way end with FAIL at once, and `optimize` throws the signal's reason. */
  signal?: AbortSignal;
}

/** What the loop does with a study. */
interface LoopStudy<Params extends object> extends StudyView {
  askWithin(maxTrials: number | undefined): Promise<Trial<Params> | undefined>;
  requeueTrial(trial: { readonly id: number }): Promise<void>;
  endTrial(
    trialId: number,
    end: Pick<TellRequest, 'value' | 'state' | 'reason' | 'skipIfFinished'>,
  ): Promise<FrozenTrial>;
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

/** Longest time between two looks at other workers' last trials. */
const longestPauseMs = 1000;

function checkOptimizeOptions<S, Params extends object>(options: LoopOptions<S, Params>): void {
  checkOptions('study.optimize', options, [
    'nTrials',
    'maxTrials',
    'timeoutMs',
    'nJobs',
    'catch',
    'callbacks',
    'onTrialStart',
    'interrupted',
    'signal',
  ]);
  const { nTrials, maxTrials, timeoutMs, nJobs = 1 } = options;
  const refuse = (name: string, need: string, value: unknown) =>
    new HpoError('INVALID_ARGUMENT', `${name} must be ${need}, but is ${shown(value)}`, { value });
  if (nTrials !== undefined && !(Number.isInteger(nTrials) && nTrials >= 0)) {
    throw refuse('nTrials', 'an integer of at least 0', nTrials);
  }
  if (maxTrials !== undefined && !(Number.isInteger(maxTrials) && maxTrials >= 1)) {
    throw refuse('maxTrials', 'an integer of at least 1', maxTrials);
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

/** The promise's result, or undefined where the storage could not be reached. */
async function orUnavailable<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (HpoError.isInstance(error) && error.code === 'STORAGE_UNAVAILABLE') return undefined;
    throw error;
  }
}

function isFinishedTrial(error: unknown): boolean {
  return HpoError.isInstance(error) && error.code === 'FINISHED_TRIAL';
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
  const { nTrials = Infinity, maxTrials, timeoutMs = Infinity, nJobs = 1, signal, interrupted } = options;
  const caught = [options.catch ?? []].flat() as readonly ErrorClass[];
  const summary: OptimizeSummary = { complete: 0, pruned: 0, failed: 0, failures: [] };
  const begin = performance.now();
  let lastTurn = begin;
  let started = 0;
  let broken = false;
  /** Ids of the trials under way here. */
  const own = new Set<number>();

  const mayStart = () =>
    !broken && !stopped() && !signal?.aborted && started < nTrials && performance.now() - begin < timeoutMs;

  /** Runs a trial; false where there is none to run any more. */
  async function runOne(): Promise<boolean> {
    await study.failStaleTrials({ retry: true, maxRetries: 1 });
    const trial = await study.askWithin(maxTrials);
    if (trial === undefined) return awaitOthers();
    own.add(trial.id);
    const heart = beating(study, trial.id);
    let outcome: { value: unknown } | { pruned: TrialPruned } | { error: unknown };
    try {
      await options.onTrialStart?.(study, trial);
      signal?.throwIfAborted();
      const running = Promise.resolve().then(() => objective(trial));
      outcome = { value: await (interrupted === undefined ? orAbort(running, signal) : running) };
    } catch (error) {
      outcome = TrialPruned.isInstance(error) && !signal?.aborted ? { pruned: error } : { error };
    } finally {
      clearInterval(heart);
      own.delete(trial.id);
    }
    if ('error' in outcome && isInterruption(outcome.error)) {
      await study.requeueTrial(trial);
      throw outcome.error;
    }
    const end =
      'value' in outcome
        ? { value: outcome.value }
        : 'pruned' in outcome
          ? ({ state: 'PRUNED' } as const)
          : ({ state: 'FAIL', reason: describe(outcome.error) } as const);
    const ended = await endUnlessTaken(trial, end);
    if (ended !== undefined) count(ended);
    if ('error' in outcome && !(ended === undefined && isFinishedTrial(outcome.error))) {
      const { error } = outcome;
      if (signal?.aborted || !caught.some((kind) => error instanceof kind)) throw error;
    }
    if (ended !== undefined) for (const callback of options.callbacks ?? []) await callback(study, ended);
    return true;
  }

  /** Ends a trial; undefined where another worker has, which took this one for dead. */
  async function endUnlessTaken(
    { id, number }: Trial<Params>,
    end: Pick<TellRequest, 'value' | 'state' | 'reason'>,
  ): Promise<FrozenTrial | undefined> {
    try {
      const ended = await orUnavailable(study.endTrial(id, end));
      // An end whose answer was lost is told again, so that a training is not done twice for it.
      return ended ?? (await study.endTrial(id, { ...end, skipIfFinished: true }));
    } catch (error) {
      if (!isFinishedTrial(error)) throw error;
      study.logger.warn(`trial ${number} was taken over by another worker; what it came to here is not stored`);
      return undefined;
    }
  }

  /** Waits a moment for other workers' trials; false where none runs that could be left behind. */
  async function awaitOthers(): Promise<boolean> {
    const { heartbeat } = study.storage;
    if (heartbeat === undefined) return false;
    // Nothing would ever say that these were left behind.
    const unheard = new Set(((await study.storage.getUnheardTrials?.(study.id)) ?? []).map(({ id }) => id));
    const others = study.getTrials(['RUNNING', 'WAITING']).filter(({ id }) => !own.has(id) && !unheard.has(id));
    if (others.length === 0) return false;
    started--;
    await new Promise((resolve) => setTimeout(resolve, Math.min(heartbeat.intervalMs, longestPauseMs)));
    await study.storage.refresh();
    return true;
  }

  function isInterruption(error: unknown): boolean {
    return interrupted !== undefined && ((signal?.aborted === true && error === signal.reason) || interrupted(error));
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
        if (!(await runOne())) return;
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
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined || interrupted === undefined) signal?.throwIfAborted();
  if (failed !== undefined) throw failed.reason;
  return summary;
}
