export { TrainerError, type TrainerErrorCode, type TrainerErrorDetails } from './errors';
export { trainingArguments, warmupStepCount } from './arguments/training-arguments';
export type { IntervalStrategy, SaveStrategy, SchedulerOptions, TrainingArguments } from './arguments/types';
export { type CallbackContext, type TrainerCallback, type TrainerControl } from './callbacks/callback';
export { EarlyStoppingCallback, type EarlyStoppingOptions } from './callbacks/early-stopping';
export { OverfittingCallback, type OverfittingOptions } from './callbacks/overfitting';
export { ProgressLineCallback, type ProgressLineOptions } from './callbacks/progress-line';
export { SpeedMemCallback, type SpeedMemOptions } from './callbacks/speed-memory';
export { MemoryCheckpoints, type CheckpointFiles, type CheckpointStore } from './checkpoints/store';
export {
  evaluate,
  Evaluator,
  type EvaluateOptions,
  type Evaluation,
  type EvaluatorOptions,
} from './evaluation/evaluate';
export { evaluationBatches } from './evaluation/batches';
export { type EvalPrediction } from './evaluation/prediction';
export { windowGradients, type WindowGradients, type WindowPosition } from './steps/gradients';
export { Trainer } from './loop/trainer';
export { trainRecovering, type DeviceRun, type TrainRecoveringOptions } from './loop/recovering';
export type { PredictionOutput, PreparedDataset, TrainerOptions, TrainOptions, TrainOutput } from './loop/options';
export {
  smoothedCrossEntropy,
  weightedBinaryCrossEntropy,
  weightedCrossEntropy,
  withLoss,
  type ComputeLoss,
} from './model/losses';
export { causalLanguageModel, type LanguageModelBatch } from './model/causal-language-model';
export {
  sequenceClassifier,
  type ClassificationBatch,
  type SequenceClassifierOptions,
} from './model/sequence-classifier';
export {
  uploadBatch,
  type BatchInputOptions,
  type HostInput,
  type LearnedTask,
  type TrainableModel,
  type UploadedBatch,
} from './model/trainable-model';
export {
  eventPort,
  webWorkerLink,
  type MessageTarget,
  type ReplicaLink,
  type ReplicaPort,
  type WebWorker,
} from './replicas/port';
export { Replicas, type ConnectOptions } from './replicas/replicas';
export { type BatchOutput } from './steps/outputs';
export { serveReplica } from './replicas/serve';
export { serveRequests } from './replicas/serve-requests';
export { AskedThread, type Failed, type Message, type ThreadError } from './replicas/asked-thread';
export { type ReplicaGroup, type ReplicaSettings, type ReplicatedWindowOptions } from './steps/replica-group';
export { type Stateful } from './state/stateful';
export { newTrainerState, trainerStateJson, type LogRow, type TrainerState } from './state/trainer-state';
