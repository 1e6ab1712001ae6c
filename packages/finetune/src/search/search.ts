import {
  createStudy,
  PerTrialSampler,
  TPESampler,
  TrialPruned,
  type FrozenTrial,
  type Storage,
  type Study,
  type Trial,
} from '@qlora-js/hpo';
import { TrainerError } from '@qlora-js/trainer';
import { FinetuneError } from '../errors';
import type { TrainingContext } from '../run/context';
import type { Goal } from '../task/goal';
import { trainAdapter } from '../training/train-adapter';
import { FailingAlike, isInterruption, ofTrial, TrialFailed } from './failures';
import { importancesOf } from './importances';
import { takeUpLeftTrials, WORKER, type SearchWorker } from './left-trials';
import { evaluationsOf, PruneCallback, prunerOf } from './pruning';
import type { SearchResult } from './result';
import {
  describeParameters,
  distributionsOf,
  recordedParameters,
  SEARCH_SPACES,
  startingParameters,
  suggestParameters,
  type SearchSettings,
  type SearchSpace,
} from './space';

/** Name of the study in a storage. */
export const STUDY_NAME = 'finetune';

/** Where a search keeps its trials. */
export interface SearchOptions {
  /**
   * Opens the storage, when the search begins. Default: memory. A study that is there is gone on with. With heartbeats
   * several workers share it; without, trials that a dead process has left are gone on with.
   */
  readonly openStorage?: () => Storage | Promise<Storage>;
  /** Default `finetune`. */
  readonly studyName?: string;
  /** This process, for others that find its trials. */
  readonly worker?: SearchWorker;
}

/**
 * Looks for the parameters that come nearest to the goal on the validation rows; every trial trains its own adapter on
 * the one frozen base. A trial's parameters hang on the seed, its number and the trials before it, so that a search that was stopped and is
 * gone on with ends with the trials of one that never was.
 *
 * @throws FinetuneError BAD_ARGUMENT for a study of another figure, NOTHING_FOUND; TrainerError STOPPED; HpoError of the storage
 */
export async function searchParameters(context: TrainingContext, options: SearchOptions = {}): Promise<SearchResult> {
  const { settings, output } = context;
  if (settings.search === null) throw new FinetuneError('BAD_ARGUMENT', 'a search needs the option search');
  const { search } = settings;
  const ranges = typeof search.space === 'string' ? SEARCH_SPACES[search.space] : search.space;
  const study = await openStudy(context, { ...options, search, ranges });
  const failing = new FailingAlike();
  try {
    await study.optimize((trial) => runTrial(context, { ...options, study, trial, ranges, search }), {
      maxTrials: search.trials,
      signal: context.signal,
      catch: TrialFailed,
      interrupted: isInterruption,
      callbacks: [
        (_study, { state, systemAttrs }) =>
          failing.note(state === 'FAIL' ? JSON.stringify(systemAttrs['fail_reason'] ?? 'no reason given') : undefined),
      ],
    });
  } catch (error) {
    if (context.signal?.aborted === true && !isInterruption(error))
      throw new TrainerError('STOPPED', 'the search was stopped', { cause: error, remedy: 'it can be gone on with' });
    throw error;
  } finally {
    output.note('');
  }
  output.line(searchNote(study.trials, context.learning.goal));
  return resultOf(context, study, search);
}

interface TrialParts extends SearchOptions {
  readonly study: Study;
  readonly trial: Trial;
  readonly ranges: SearchSpace;
  readonly search: SearchSettings;
}

/** Opens the study, with the run's own parameters as its first trial, and takes up what an earlier process has left. */
async function openStudy(
  { settings, output, splits, learning }: TrainingContext,
  {
    openStorage,
    studyName = STUDY_NAME,
    worker,
    search,
    ranges,
  }: SearchOptions & { readonly search: SearchSettings; readonly ranges: SearchSpace },
): Promise<Study> {
  const { trials, epochs } = search;
  const longest = splits.train.numRows * (epochs > 0 ? epochs : ranges.numTrainEpochs[1]);
  // Of few trials a few are drawn at random, so that the others learn from them.
  const nStartupTrials = Math.min(10, Math.max(2, Math.ceil(trials / 4)));
  const study = await createStudy({
    studyName,
    direction: learning.goal.direction,
    sampler: new PerTrialSampler(settings.seed, (seed) => new TPESampler({ seed, nStartupTrials })),
    pruner: prunerOf(search.pruner, longest),
    logger: { info: () => undefined, warn: (line) => output.warn(line) },
    ...(openStorage === undefined ? {} : { storage: await openStorage(), loadIfExists: true }),
  });
  const { metric } = learning.goal;
  const [sought = metric] = study.metricNames ?? [];
  if (sought !== metric) {
    throw new FinetuneError('BAD_ARGUMENT', `study ${study.name} looks for ${sought}, and this run for ${metric}`, {
      value: metric,
      remedy: 'name another study (--study)',
    });
  }
  if (study.metricNames === undefined) await study.setMetricNames([metric]);
  if (study.storage.heartbeat === undefined) await takeUpLeftTrials(study, worker, (line) => output.line(line));
  const first = startingParameters(settings.training, distributionsOf(ranges, epochs));
  if (Object.keys(first).length > 0) await study.enqueueTrial(first, { atMost: 1 });
  return study;
}

/** A trial that repeats one of a dead worker goes on with that one's checkpoints. */
function checkpointsName({ number, systemAttrs }: Pick<FrozenTrial, 'number' | 'systemAttrs'>): string {
  const repeated = systemAttrs['retry_history'];
  return `trial-${Array.isArray(repeated) ? String(repeated[0]) : number}`;
}

/** Trains a trial and says what it came to. */
async function runTrial(
  context: TrainingContext,
  { study, trial, ranges, search, worker }: TrialParts,
): Promise<number> {
  const { output, model, settings } = context;
  const { metric } = context.learning.goal;
  if (worker !== undefined) trial.setSystemAttr(WORKER, worker.id);
  const parameters = suggestParameters(trial, ranges, search.epochs);
  const adapterName = checkpointsName(trial);
  const { samples, ...evaluations } = evaluationsOf(settings, parameters);
  output.line(`trial ${trial.number}: ${describeParameters(parameters)}`);
  output.note(searchNote(study.trials, context.learning.goal));
  let keep = false;
  try {
    const { trainer, tracking } = await trainAdapter(context, {
      parameters: { ...parameters, ...evaluations },
      adapterName,
      label: `trial ${trial.number}`,
      wholeCheckpoints: true,
      recordedAs: { name: `trial_${trial.number}`, jobType: 'trial', phase: 'search' },
      callbacks: [new PruneCallback({ study, trial, metric, samples, evalSteps: evaluations.evalSteps })],
      resumeFromCheckpoint: (await checkpointsOf(context, adapterName)).length > 0,
    });
    const value = (await trainer.evaluate())[`eval_${metric}`]!;
    output.line(`trial ${trial.number}: ${metric} ${value.toFixed(4)}`);
    // What trackers lack of it is sent while the next trial runs.
    void tracking?.finish('finished');
    keep = true;
    return value;
  } catch (error) {
    keep = isInterruption(error) || (await isTakenOver(study, trial));
    if (TrialPruned.isInstance(error)) output.line(`trial ${trial.number}: pruned, ${error.message}`);
    throw ofTrial(error);
  } finally {
    model.deleteAdapter(adapterName);
    // The best checkpoint of a trial that came to its end stays, and all of one that is gone on with.
    if (!keep) await removeCheckpoints(context, adapterName);
  }
}

/** Whether another worker, which took this one for dead, has ended the trial: its repetition needs the checkpoints. */
async function isTakenOver(study: Study, { id }: Trial): Promise<boolean> {
  // A storage out of reach is said when the trial ends.
  await study.refresh().catch(() => undefined);
  return study.storage.getTrial(id).state !== 'RUNNING';
}

function resultOf({ settings, learning }: TrainingContext, study: Study, { epochs }: SearchSettings): SearchResult {
  const trials = study.trials.map(({ number, state, value, params, ...trial }) => ({
    number,
    state,
    value,
    params,
    intermediate: [...trial.intermediateValues].map(([step, reported]) => ({ step, value: reported })),
    seconds:
      trial.datetimeStart === undefined || trial.datetimeComplete === undefined
        ? undefined
        : (trial.datetimeComplete.getTime() - trial.datetimeStart.getTime()) / 1000,
  }));
  if (!trials.some(({ state }) => state === 'COMPLETE')) {
    throw new FinetuneError('NOTHING_FOUND', `none of ${trials.length} trials came to a value`, {
      remedy: 'ask for more trials, or for narrower ranges',
    });
  }
  const best = recordedParameters(study.bestParams, settings.training.numTrainEpochs);
  const parameters = epochs > 0 ? { ...best, numTrainEpochs: settings.training.numTrainEpochs } : best;
  return {
    name: study.name,
    goal: learning.goal,
    parameters,
    bestValue: study.bestValue,
    importances: importancesOf(study),
    trials,
  };
}

/** How the trials stand, in a line. */
export function searchNote(
  trials: readonly Pick<FrozenTrial, 'number' | 'state' | 'value'>[],
  { metric, direction }: Goal,
): string {
  const better = (one: number, other: number): boolean => (direction === 'maximize' ? one > other : one < other);
  const count = (state: FrozenTrial['state']): number => trials.filter((trial) => trial.state === state).length;
  const running = count('RUNNING');
  const counts = `trials: ${running === 0 ? '' : `${running} running, `}${count('COMPLETE')} complete, ${count('PRUNED')} pruned, ${count('FAIL')} failed`;
  const complete = trials.filter(({ state, value }) => state === 'COMPLETE' && value !== undefined);
  const [first, ...others] = complete;
  if (first === undefined) return counts;
  const best = others.reduce((one, other) => (better(other.value!, one.value!) ? other : one), first);
  return `${counts}; best ${metric} ${best.value!.toFixed(4)} (trial ${best.number})`;
}

async function checkpointsOf({ checkpoints }: TrainingContext, adapterName: string): Promise<readonly string[]> {
  const names = (await checkpoints?.(adapterName).list()) ?? [];
  return names.filter((name) => /^checkpoint-\d+$/.test(name));
}

async function removeCheckpoints(context: TrainingContext, adapterName: string): Promise<void> {
  for (const name of await checkpointsOf(context, adapterName)) await context.checkpoints!(adapterName).remove(name);
}
