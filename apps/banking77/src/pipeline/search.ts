import { createStudy, JournalStorage, MedianPruner, TPESampler, TrialPruned, type Trial } from '@qlora-js/hpo';
import { JournalFileBackend } from '@qlora-js/hpo/node';
import { rm } from 'node:fs/promises';
import type { RunOptions } from '../cli/options';
import type { TrainerCallback } from '@qlora-js/trainer';
import type { RunContext } from './context';
import { checkpointFolder, trainAdapter, type TrainingParameters } from './training';

export interface SearchResult {
  readonly parameters: TrainingParameters;
  readonly bestValue: number;
  readonly trials: readonly {
    readonly number: number;
    readonly state: string;
    readonly value: number | undefined;
    readonly params: Readonly<Record<string, unknown>>;
  }[];
}

/** What a search draws from. */
interface SearchSpace {
  readonly learningRate: readonly [low: number, high: number];
  readonly batchSizes: readonly number[];
  readonly numTrainEpochs: readonly [low: number, high: number];
  readonly weightDecay: readonly [low: number, high: number];
  readonly warmupSteps: readonly [low: number, high: number, step: number];
}

const SEARCH_SPACES: Readonly<Record<RunOptions['searchSpace'], SearchSpace>> = {
  /** The reference notebook's. */
  reference: {
    learningRate: [1e-5, 5e-4],
    batchSizes: [4, 8, 16],
    numTrainEpochs: [2, 5],
    weightDecay: [0.01, 0.1],
    warmupSteps: [100, 500, 50],
  },
  /** For data sets of a few hundred rows, whose whole training is shorter than the reference's warm-up. */
  small: {
    learningRate: [1e-3, 3e-3],
    batchSizes: [16],
    numTrainEpochs: [3, 5],
    weightDecay: [0.01, 0.1],
    warmupSteps: [20, 40, 10],
  },
};

function suggest(trial: Trial, space: SearchSpace, epochs: number): TrainingParameters {
  const { learningRate, batchSizes, numTrainEpochs, weightDecay, warmupSteps } = space;
  return {
    learningRate: trial.suggestFloat('learning_rate', ...learningRate, { log: true }),
    perDeviceTrainBatchSize: trial.suggestCategorical('batch_size', [...batchSizes]),
    numTrainEpochs: epochs > 0 ? epochs : trial.suggestInt('num_train_epochs', ...numTrainEpochs),
    weightDecay: trial.suggestFloat('weight_decay', ...weightDecay),
    warmupSteps: trial.suggestInt('warmup_steps', warmupSteps[0], warmupSteps[1], { step: warmupSteps[2] }),
  };
}

/** Looks for the parameters with the highest validation F1; every trial trains its own adapter on the one frozen base. */
export async function search(context: RunContext): Promise<SearchResult> {
  const { options, output, model } = context;
  const study = await createStudy({
    studyName: 'banking77',
    direction: 'maximize',
    sampler: new TPESampler({ seed: options.seed }),
    pruner: new MedianPruner(),
    ...(options.study === undefined
      ? {}
      : { storage: new JournalStorage(new JournalFileBackend(options.study)), loadIfExists: true }),
  });
  const suggested = new Map<number, TrainingParameters>();
  await study.optimize(
    async (trial) => {
      const parameters = suggest(trial, SEARCH_SPACES[options.searchSpace], options.searchEpochs);
      suggested.set(trial.number, parameters);
      const adapterName = `trial-${trial.number}`;
      output.line(`trial ${trial.number}: ${describe(parameters)}`);
      try {
        const { trainer } = await trainAdapter(context, {
          parameters,
          adapterName,
          label: `trial ${trial.number}`,
          callbacks: [new PruneCallback(trial)],
        });
        const f1 = (await trainer.evaluate())['eval_f1']!;
        output.line(`trial ${trial.number}: f1 ${f1.toFixed(4)}`);
        return f1;
      } finally {
        model.deleteAdapter(adapterName);
        await rm(checkpointFolder(options.outputDir, adapterName), { recursive: true, force: true });
      }
    },
    { nTrials: options.trials },
  );
  const { bestTrial } = study;
  const trials = study.trials.map(({ number, state, value, params }) => ({
    number,
    state,
    value: value ?? undefined,
    params,
  }));
  const best = suggested.get(bestTrial.number) ?? fromParams(bestTrial.params, options);
  const parameters = options.searchEpochs > 0 ? { ...best, numTrainEpochs: options.numTrainEpochs } : best;
  return { parameters, bestValue: study.bestValue, trials };
}

/** Reports each evaluation to the study and ends a trial that the pruner gives up. */
class PruneCallback implements TrainerCallback {
  private reports = 0;

  constructor(private readonly trial: Trial) {}

  onEvaluate({ metrics, state }: Parameters<NonNullable<TrainerCallback['onEvaluate']>>[0]): void {
    const f1 = metrics['eval_f1'];
    // The evaluation after the last step is the trial's value, not a report.
    if (f1 === undefined || state.globalStep >= state.maxSteps) return;
    this.trial.report(f1, this.reports++);
    if (this.trial.shouldPrune()) throw new TrialPruned(`step ${state.globalStep}: f1 ${f1.toFixed(4)}`);
  }
}

/** A trial of an earlier run, taken from its journal. */
function fromParams(params: Readonly<Record<string, unknown>>, { numTrainEpochs }: RunOptions): TrainingParameters {
  const number = (name: string): number => Number(params[name]);
  return {
    learningRate: number('learning_rate'),
    perDeviceTrainBatchSize: number('batch_size'),
    // A journal of trials with a set number of epochs does not hold it.
    numTrainEpochs: params['num_train_epochs'] === undefined ? numTrainEpochs : number('num_train_epochs'),
    weightDecay: number('weight_decay'),
    warmupSteps: number('warmup_steps'),
  };
}

export function describe(parameters: TrainingParameters): string {
  const { learningRate, perDeviceTrainBatchSize, numTrainEpochs, weightDecay, warmupSteps } = parameters;
  return `learning_rate ${learningRate.toExponential(3)}  batch_size ${perDeviceTrainBatchSize}  num_train_epochs ${numTrainEpochs}  weight_decay ${weightDecay.toFixed(4)}  warmup_steps ${warmupSteps}`;
}
