export { TrainerError, type TrainerErrorCode, type TrainerErrorDetails } from './errors';
export {
  trainingArguments,
  warmupStepCount,
  type IntervalStrategy,
  type TrainingArguments,
} from './arguments/training-arguments';
export { type CallbackContext, type TrainerCallback, type TrainerControl } from './callbacks/callback';
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
export { windowGradients, type WindowGradients, type WindowPosition } from './steps/gradients';
export { Trainer } from './loop/trainer';
export { trainRecovering, type DeviceRun, type TrainRecoveringOptions } from './loop/recovering';
export type { PreparedDataset, TrainerOptions, TrainOptions, TrainOutput } from './loop/options';
export { sequenceClassifier, type ClassificationBatch } from './model/sequence-classifier';
export {
  uploadBatch,
  type BatchInputOptions,
  type HostInput,
  type SavedFiles,
  type TrainableModel,
  type UploadedBatch,
} from './model/trainable-model';
export { eventPort, webWorkerLink, type MessageTarget, type ReplicaLink, type ReplicaPort } from './replicas/port';
export { Replicas, type ConnectOptions } from './replicas/replicas';
export { type BatchOutput } from './steps/outputs';
export { serveReplica } from './replicas/serve';
export { type ReplicaGroup, type ReplicaSettings, type ReplicatedWindowOptions } from './steps/replica-group';
export { type Stateful } from './state/stateful';
export { newTrainerState, trainerStateJson, type LogRow, type TrainerState } from './state/trainer-state';
