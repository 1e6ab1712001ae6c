export { HpoError, type HpoErrorCode, type HpoErrorDetails, TrialPruned } from './errors';
export { type JsonValue } from './json-value';
export {
  type CategoricalChoice,
  type CategoricalDistribution,
  categoricalDistribution,
  type Distribution,
  type FloatDistribution,
  floatDistribution,
  type IntDistribution,
  intDistribution,
  type NumericalOptions,
  type ParamValue,
  type SearchSpace,
} from './distribution/distribution';
export { createStudy, type CreateStudyOptions, loadStudy, type LoadStudyOptions } from './study/create-study';
export { type EnqueueOptions, type OptimizeOptions, type Study } from './study/study';
export { type Direction } from './study/direction';
export { type StudyView } from './study/study-view';
export { type Logger } from './study/logger';
export { type ErrorClass, type LoopOptions, type Objective, type OptimizeSummary } from './study/optimize';
export { type TellOptions } from './study/tell';
export { type RetryOptions } from './study/unfinished';
export { type FinishedState, type FrozenTrial, type TrialState } from './trial/frozen-trial';
export { type SuggestOptions, type Trial } from './trial/trial';
export { type Sampler } from './sampler/sampler';
export { type Grid, GridSampler } from './sampler/grid-sampler';
export { RandomSampler } from './sampler/random-sampler';
export { TPESampler, type TPESamplerOptions } from './sampler/tpe/tpe-sampler';
export { type Pruner } from './pruner/pruner';
export { HyperbandPruner, type HyperbandPrunerOptions } from './pruner/hyperband-pruner';
export { MedianPruner } from './pruner/median-pruner';
export { NopPruner } from './pruner/nop-pruner';
export { PercentilePruner, type PercentilePrunerOptions } from './pruner/percentile-pruner';
export { SuccessiveHalvingPruner, type SuccessiveHalvingPrunerOptions } from './pruner/successive-halving-pruner';
export { InMemoryStorage } from './storage/in-memory-storage';
export { type Awaitable, type FrozenStudy, type Storage, type TrialTemplate } from './storage/storage';
export { type HeartbeatOptions } from './storage/replica-storage';
export { JournalStorage } from './storage/journal/journal-storage';
export { type JournalBackend, TextJournalBackend } from './storage/journal/backend';
