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
import type { FineTuneContext } from '../run/context';
import type { SearchedParameters } from '../training/settings';
import { trainAdapter } from '../training/train-adapter';
import { BEST_METRIC } from '../training/trained-adapter';
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

/** Looks for the parameters with the highest validation F1; every trial trains its own adapter on the one frozen base. */
export async function searchParameters(
  context: FineTuneContext,
  { openStorage, studyName = STUDY_NAME }: SearchOptions = {},
): Promise<SearchResult> {
  const { settings, output, model } = context;
  if (settings.search === null) throw new FinetuneError('BAD_ARGUMENT', 'a search needs the option search');
  const { trials, space, epochs } = settings.search;
  const ranges = typeof space === 'string' ? SEARCH_SPACES[space] : space;
  const study = await createStudy({
    studyName,
    direction: 'maximize',
    sampler: new TPESampler({ seed: settings.seed }),
    pruner: new MedianPruner(),
    ...(openStorage === undefined ? {} : { storage: await openStorage(), loadIfExists: true }),
  });
  const say = (): void => output.note(searchNote(study.trials));
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
          callbacks: [new PruneCallback(trial)],
        });
        const f1 = (await trainer.evaluate())[`eval_${BEST_METRIC}`]!;
        output.line(`trial ${trial.number}: f1 ${f1.toFixed(4)}`);
        // What trackers lack of it is sent while the next trial runs.
        void tracking?.finish('finished');
        return f1;
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
  output.line(searchNote(study.trials));
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
  return { name: studyName, parameters, bestValue: study.bestValue, trials: finished };
}

/** How the trials stand, in a line. */
export function searchNote(trials: readonly Pick<FrozenTrial, 'number' | 'state' | 'value'>[]): string {
  const count = (state: FrozenTrial['state']): number => trials.filter((trial) => trial.state === state).length;
  const running = count('RUNNING');
  const counts = `trials: ${running === 0 ? '' : `${running} running, `}${count('COMPLETE')} complete, ${count('PRUNED')} pruned, ${count('FAIL')} failed`;
  const complete = trials.filter(({ state, value }) => state === 'COMPLETE' && value !== undefined);
  const [first, ...others] = complete;
  if (first === undefined) return counts;
  const best = others.reduce((one, other) => (other.value! > one.value! ? other : one), first);
  return `${counts}; best f1 ${best.value!.toFixed(4)} (trial ${best.number})`;
}

/** A trial's checkpoints served its own best weights and are of no use to anybody later. */
async function removeCheckpoints({ checkpoints }: FineTuneContext, adapterName: string): Promise<void> {
  const store = checkpoints?.(adapterName);
  if (store === undefined) return;
  for (const name of await store.list()) if (/^checkpoint-\d+$/.test(name)) await store.remove(name);
}

/** Reports each evaluation to the study and ends a trial that the pruner gives up. */
class PruneCallback implements TrainerCallback {
  private reports = 0;

  constructor(private readonly trial: Trial) {}

  onEvaluate({ metrics, state }: Parameters<NonNullable<TrainerCallback['onEvaluate']>>[0]): void {
    const f1 = metrics[`eval_${BEST_METRIC}`];
    // The evaluation after the last step is the trial's value, not a report.
    if (f1 === undefined || state.globalStep >= state.maxSteps) return;
    this.trial.report(f1, this.reports++);
    if (this.trial.shouldPrune()) throw new TrialPruned(`step ${state.globalStep}: f1 ${f1.toFixed(4)}`);
  }
}
