import type { Trial } from '@qlora-js/hpo';
import type { SearchedParameters } from '../training/settings';

/** What a search draws from. */
export interface SearchSpace {
  /** Drawn by its logarithm. */
  readonly learningRate: readonly [low: number, high: number];
  /** One of these. */
  readonly batchSizes: readonly number[];
  /** Whole epochs, drawn where the search does not set their number. */
  readonly numTrainEpochs: readonly [low: number, high: number];
  /** Drawn evenly. */
  readonly weightDecay: readonly [low: number, high: number];
  /** Steps of warm-up. */
  readonly warmupSteps: readonly [low: number, high: number, step: number];
}

/** Names of the spaces that come along. */
export const SEARCH_SPACE_NAMES = ['reference', 'small'] as const;

/** Spaces by name: for thousands of rows, and for a few hundred, whose whole training is shorter than 100 steps. */
export const SEARCH_SPACES: Readonly<Record<(typeof SEARCH_SPACE_NAMES)[number], SearchSpace>> = {
  reference: {
    learningRate: [1e-5, 5e-4],
    batchSizes: [4, 8, 16],
    numTrainEpochs: [2, 5],
    weightDecay: [0.01, 0.1],
    warmupSteps: [100, 500, 50],
  },
  small: {
    learningRate: [1e-3, 3e-3],
    batchSizes: [16],
    numTrainEpochs: [3, 5],
    weightDecay: [0.01, 0.1],
    warmupSteps: [20, 40, 10],
  },
};

/** Draws parameters for a trial; `epochs` over 0 sets their number instead. */
export function suggestParameters(trial: Trial, space: SearchSpace, epochs: number): SearchedParameters {
  const { learningRate, batchSizes, numTrainEpochs, weightDecay, warmupSteps } = space;
  return {
    learningRate: trial.suggestFloat('learning_rate', ...learningRate, { log: true }),
    perDeviceTrainBatchSize: trial.suggestCategorical('batch_size', [...batchSizes]),
    numTrainEpochs: epochs > 0 ? epochs : trial.suggestInt('num_train_epochs', ...numTrainEpochs),
    weightDecay: trial.suggestFloat('weight_decay', ...weightDecay),
    warmupSteps: trial.suggestInt('warmup_steps', warmupSteps[0], warmupSteps[1], { step: warmupSteps[2] }),
  };
}

/** Parameters of a trial that an earlier process ran, from its record. */
export function recordedParameters(params: Readonly<Record<string, unknown>>, epochs: number): SearchedParameters {
  const number = (name: string): number => Number(params[name]);
  return {
    learningRate: number('learning_rate'),
    perDeviceTrainBatchSize: number('batch_size'),
    // A study of trials with a set number of epochs does not hold it.
    numTrainEpochs: params['num_train_epochs'] === undefined ? epochs : number('num_train_epochs'),
    weightDecay: number('weight_decay'),
    warmupSteps: number('warmup_steps'),
  };
}

/** Parameters as one line, by Python's names. */
export function describeParameters(parameters: SearchedParameters): string {
  const { learningRate, perDeviceTrainBatchSize, numTrainEpochs, weightDecay, warmupSteps } = parameters;
  return `learning_rate ${learningRate.toExponential(3)}  batch_size ${perDeviceTrainBatchSize}  num_train_epochs ${numTrainEpochs}  weight_decay ${weightDecay.toFixed(4)}  warmup_steps ${warmupSteps}`;
}

/** How parameters are searched for. */
export interface SearchSettings {
  /** Trials to run in this process. */
  readonly trials: number;
  /** Ranges to draw from: one's own, or those of a name. */
  readonly space: SearchSpace | (typeof SEARCH_SPACE_NAMES)[number];
  /** Epochs of every trial, the run's own then being the final training's alone; 0 makes the number one of what is searched. */
  readonly epochs: number;
}
