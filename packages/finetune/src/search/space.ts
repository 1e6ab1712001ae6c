import {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
  type Distribution,
  type Trial,
} from '@qlora-js/hpo';
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

/** Which trials end early: by asynchronous successive halving, below the median of the others, or none. */
export const PRUNER_NAMES = ['asha', 'median', 'none'] as const;

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

/** The space by the names of the study's parameters; `epochs` over 0 leaves their number out. */
export function distributionsOf(space: SearchSpace, epochs: number) {
  const range = ([low, high]: readonly [number, number, ...number[]]): { low: number; high: number } => ({ low, high });
  return {
    learning_rate: floatDistribution({ ...range(space.learningRate), log: true }),
    batch_size: categoricalDistribution(space.batchSizes),
    ...(epochs > 0 ? {} : { num_train_epochs: intDistribution(range(space.numTrainEpochs)) }),
    weight_decay: floatDistribution(range(space.weightDecay)),
    warmup_steps: intDistribution({ ...range(space.warmupSteps), step: space.warmupSteps[2] }),
  };
}

/** Draws parameters for a trial; `epochs` over 0 sets their number instead. */
export function suggestParameters(trial: Trial, space: SearchSpace, epochs: number): SearchedParameters {
  for (const [name, distribution] of Object.entries(distributionsOf(space, epochs))) trial.suggest(name, distribution);
  return recordedParameters(trial.params, epochs);
}

/** The run's own parameters, as far as they lie in the space: what everybody would try first. */
export function startingParameters(
  training: SearchedParameters,
  distributions: Readonly<Record<string, Distribution>>,
): Record<string, number> {
  const own: Record<string, number> = {
    learning_rate: training.learningRate,
    batch_size: training.perDeviceTrainBatchSize,
    num_train_epochs: training.numTrainEpochs,
    weight_decay: training.weightDecay,
    warmup_steps: training.warmupSteps,
  };
  return Object.fromEntries(
    Object.entries(distributions).flatMap(([name, distribution]) => {
      const value = own[name]!;
      const inside =
        distribution.kind === 'categorical'
          ? distribution.choices.includes(value)
          : value >= distribution.low &&
            value <= distribution.high &&
            (distribution.kind === 'float' || (value - distribution.low) % distribution.step === 0);
      return inside ? [[name, value] as const] : [];
    }),
  );
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
  /** Trials in all, those of earlier runs and of other workers on the same study among them. */
  readonly trials: number;
  /** Ranges to draw from: one's own, or those of a name. */
  readonly space: SearchSpace | (typeof SEARCH_SPACE_NAMES)[number];
  /** Epochs of every trial, the run's own then being the final training's alone; 0 makes the number one of what is searched. */
  readonly epochs: number;
  /** Which trials end early. */
  readonly pruner: (typeof PRUNER_NAMES)[number];
}
