import {
  createStudy,
  MedianPruner,
  TPESampler,
  TrialPruned,
  type FrozenTrial,
  type Storage,
  type Trial,
} from '@qlora-js/hpo';
import type { TrainerCallback } from '@qlora-js/trainer';
import { FinetuneError } from '../errors';
import type { TrainingContext } from '../run/context';
import type { Goal } from '../task/goal';
import type { SearchedParameters } from '../training/settings';
import { trainAdapter } from '../training/train-adapter';
import type { SearchResult } from './result';
import { describeParameters, recordedParameters, SEARCH_SPACES, suggestParameters } from './space';

/** Name of the study in a storage. */
export const STUDY_NAME = 'finetune';

/** Where a search keeps its trials. */
export interface SearchOptions {
  /** Opens the storage, when the search begins. Default: memory. A study that is there is gone on with. */
  readonly openStorage?: () => Storage | Promise<Storage>;
  /** Default `finetune`. */
  readonly studyName?: string;
}

/** Looks for the parameters that come nearest to the goal on the validation rows; every trial trains its own adapter on the one frozen base. */
export async function searchParameters(
  context: TrainingContext,
  { openStorage, studyName = STUDY_NAME }: SearchOptions = {},
): Promise<SearchResult> {
  const { settings, output, model } = context;
  const { goal } = context.learning;
  if (settings.search === null) throw new FinetuneError('BAD_ARGUMENT', 'a search needs the option search');
  const { trials, space, epochs } = settings.search;
  const ranges = typeof space === 'string' ? SEARCH_SPACES[space] : space;
  const study = await createStudy({
    studyName,
    direction: goal.direction,
    sampler: new TPESampler({ seed: settings.seed }),
    pruner: new MedianPruner(),
    ...(openStorage === undefined ? {} : { storage: await openStorage(), loadIfExists: true }),
  });
  const say = (): void => output.note(searchNote(study.trials, goal));
  const suggested = new Map<number, SearchedParameters>();
  await study.optimize(
    async (trial) => {
      const parameters = suggestParameters(trial, ranges, epochs);
      suggested.set(trial.number, parameters);
      const adapterName = `trial-${trial.number}`;
      output.line(`trial ${trial.number}: ${describeParameters(parameters)}`);
      say();
      try {
        const { trainer, tracking } = await trainAdapter(context, {
          parameters,
          adapterName,
          label: `trial ${trial.number}`,
          recordedAs: { name: `trial_${trial.number}`, jobType: 'trial', phase: 'search' },
          callbacks: [new PruneCallback(trial, goal.metric)],
        });
        const value = (await trainer.evaluate())[`eval_${goal.metric}`]!;
        output.line(`trial ${trial.number}: ${goal.metric} ${value.toFixed(4)}`);
        // What trackers lack of it is sent while the next trial runs.
        void tracking?.finish('finished');
        return value;
      } catch (error) {
        if (TrialPruned.isInstance(error)) output.line(`trial ${trial.number}: pruned, ${error.message}`);
        throw error;
      } finally {
        model.deleteAdapter(adapterName);
        await removeCheckpoints(context, adapterName);
      }
    },
    { nTrials: trials },
  );
  output.note('');
  output.line(searchNote(study.trials, goal));
  const finished = study.trials.map(({ number, state, value, params, ...trial }) => ({
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
  if (!finished.some(({ value }) => value !== undefined)) {
    throw new FinetuneError('NOTHING_FOUND', `none of ${finished.length} trials came to a value`, {
      remedy: 'ask for more trials, or for narrower ranges',
    });
  }
  const { bestTrial } = study;
  const best =
    suggested.get(bestTrial.number) ?? recordedParameters(bestTrial.params, settings.training.numTrainEpochs);
  const parameters = epochs > 0 ? { ...best, numTrainEpochs: settings.training.numTrainEpochs } : best;
  return { name: studyName, goal, parameters, bestValue: study.bestValue, trials: finished };
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

/** A trial's checkpoints served its own best weights and are of no use to anybody later. */
async function removeCheckpoints({ checkpoints }: TrainingContext, adapterName: string): Promise<void> {
  const store = checkpoints?.(adapterName);
  if (store === undefined) return;
  for (const name of await store.list()) if (/^checkpoint-\d+$/.test(name)) await store.remove(name);
}

/** Reports each evaluation to the study and ends a trial that the pruner gives up. */
class PruneCallback implements TrainerCallback {
  private reports = 0;

  constructor(
    private readonly trial: Trial,
    private readonly metric: string,
  ) {}

  onEvaluate({ metrics, state }: Parameters<NonNullable<TrainerCallback['onEvaluate']>>[0]): void {
    const value = metrics[`eval_${this.metric}`];
    // The evaluation after the last step is the trial's value, not a report.
    if (value === undefined || state.globalStep >= state.maxSteps) return;
    this.trial.report(value, this.reports++);
    if (this.trial.shouldPrune()) throw new TrialPruned(`step ${state.globalStep}: ${this.metric} ${value.toFixed(4)}`);
  }
}
