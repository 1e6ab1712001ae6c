export { HpoError, type HpoErrorCode, type HpoErrorDetails, TrialPruned } from './errors';
export { type JsonValue } from './json-value';
export {
  type AnyParams,
  type CategoricalChoice,
  type CategoricalDistribution,
  categoricalDistribution,
  type Distribution,
  type FloatDistribution,
  floatDistribution,
  type IntDistribution,
  intDistribution,
  type NumericalOptions,
  type ParamsOf,
  type ParamValue,
  type SearchSpace,
} from './distribution/distribution';
export {
  createStudy,
  type CreateStudyOptions,
  loadStudy,
  type LoadStudyOptions,
  type StudyParams,
} from './study/create-study';
export {
  copyStudy,
  type CopyStudyOptions,
  deleteStudy,
  getAllStudyNames,
  getAllStudySummaries,
  type StudySummary,
} from './study/studies';
export { maxTrialsCallback } from './study/max-trials-callback';
export { type TrialCell, type TrialColumn, type TrialRow } from './study/trial-rows';
export { createTrial, type CreateTrialOptions } from './trial/create-trial';
export { getParamImportances, type ImportanceOptions } from './importance/param-importances';
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
export { BruteForceSampler, type BruteForceSamplerOptions } from './sampler/brute-force/brute-force-sampler';
export { PartialFixedSampler } from './sampler/partial-fixed-sampler';
export { PerTrialSampler } from './sampler/per-trial-sampler';
export { QMCSampler, type QMCSamplerOptions } from './sampler/qmc/qmc-sampler';
export { type Pruner } from './pruner/pruner';
export { HyperbandPruner, type HyperbandPrunerOptions } from './pruner/hyperband-pruner';
export { MedianPruner } from './pruner/median-pruner';
export { NopPruner } from './pruner/nop-pruner';
export { PatientPruner, type PatientPrunerOptions } from './pruner/patient-pruner';
export { PercentilePruner, type PercentilePrunerOptions } from './pruner/percentile-pruner';
export { SuccessiveHalvingPruner, type SuccessiveHalvingPrunerOptions } from './pruner/successive-halving-pruner';
export { ThresholdPruner, type ThresholdPrunerOptions } from './pruner/threshold-pruner';
export { InMemoryStorage } from './storage/in-memory-storage';
export { type Awaitable, type FrozenStudy, type Storage, type TrialTemplate } from './storage/storage';
export { type HeartbeatOptions } from './storage/replica-storage';
export { JournalStorage } from './storage/journal/journal-storage';
export { type JournalBackend, TextJournalBackend } from './storage/journal/backend';
