export { OptimError, type OptimErrorCode } from './errors';
export { clipGradients } from './clipping/clip';
export { decayGroups, isExcludedFromDecay, type NamedVariable, type ParameterGroup } from './groups/groups';
export { createOptimizer, type OptimizerOptions } from './optimizers/create';
export {
  OPTIMIZER_NAMES,
  type Optimizer,
  type OptimizerMemory,
  type OptimizerName,
  type OptimizerStateDict,
  type StateArray,
  type StepOptions,
} from './optimizers/optimizer';
export {
  createSchedule,
  SCHEDULER_TYPES,
  type Schedule,
  type ScheduleOptions,
  type SchedulerType,
} from './schedule/schedule';
export {
  METRIC_SCHEDULER_TYPES,
  MetricSchedule,
  type MetricScheduleOptions,
  type MetricSchedulerType,
  type MetricScheduleState,
} from './schedule/metric-schedule';
export { GradScaler, type GradScalerOptions, type GradScalerState, type GradScalerStats } from './scaling/grad-scaler';
export type { Nearest } from '@qlora-js/kernels';
