import type { TrainingArguments } from '@qlora-js/trainer';

/** The trainer's arguments that a fine-tuning sets; transformers' names. */
export type TrainingSettings = Pick<
  TrainingArguments,
  | 'learningRate'
  | 'numTrainEpochs'
  | 'maxSteps'
  | 'perDeviceTrainBatchSize'
  | 'perDeviceEvalBatchSize'
  | 'gradientAccumulationSteps'
  | 'gradientCheckpointing'
  | 'activationDtype'
  | 'weightDecay'
  | 'warmupSteps'
  | 'maxGradNorm'
  | 'optim'
  | 'lrSchedulerType'
  | 'evalSteps'
  | 'saveSteps'
  | 'saveTotalLimit'
  | 'loggingSteps'
  | 'groupByLength'
  | 'fp16'
>;

/** What a search may vary. */
export type SearchedParameters = Pick<
  TrainingSettings,
  'learningRate' | 'perDeviceTrainBatchSize' | 'numTrainEpochs' | 'weightDecay' | 'warmupSteps'
>;
