export { accuracyScore, balancedAccuracyScore, type BalancedAccuracyOptions } from './accuracy';
export { confusionMatrix, type ConfusionMatrixOptions } from './confusion-matrix';
export { MetricsError, type MetricsErrorCode } from './errors';
export { type Label, type Labels } from './labels';
export { matthewsCorrcoef } from './matthews';
export {
  f1Score,
  precisionRecallFscoreSupport,
  precisionScore,
  recallScore,
  type Average,
  type AveragedScores,
  type ClassScores,
  type FscoreOptions,
  type NoAverage,
  type PrecisionRecallOptions,
} from './precision-recall';
