export { accuracyScore, balancedAccuracyScore, type BalancedAccuracyOptions } from './accuracy';
export {
  bagOfWordsLogisticRegression,
  type BagOfWordsLogisticRegressionOptions,
  type BagOfWordsLogisticRegressionResult,
} from './baselines/bag-of-words-logistic-regression';
export { majorityClassBaseline, type MajorityClassResult } from './baselines/majority-class';
export {
  bootstrapConfidenceInterval,
  bootstrapFromConfusion,
  type BootstrapSettings,
  type Column,
  type ConfidenceInterval,
} from './bootstrap';
export { calibrationBins, expectedCalibrationError, type CalibrationBin, type CalibrationOptions } from './calibration';
export {
  classificationReport,
  classificationReportObject,
  type ClassificationReportObject,
  type ClassificationReportOptions,
  type ClassificationReportTextOptions,
  type ReportRow,
} from './classification-report';
export { confusionMatrix, type ConfusionMatrixOptions } from './confusion-matrix';
export { MetricsError, type MetricsErrorCode } from './errors';
export {
  metricsFromConfusion,
  type ConfusionCounts,
  type ConfusionMetrics,
  type ConfusionMetricsOptions,
  type ScoreByAverage,
} from './from-confusion';
export { type Label, type Labels } from './labels';
export { logLoss } from './log-loss';
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
export {
  binarize,
  multilabelMetrics,
  type MultilabelMetrics,
  type MultilabelOptions,
  type MultilabelScoreByAverage,
} from './multilabel';
export {
  meanAbsoluteError,
  meanSquaredError,
  pearsonCorrelation,
  r2Score,
  rootMeanSquaredError,
  spearmanCorrelation,
} from './regression';
export { rocAucScore, type RocAucOptions } from './roc-auc';
export { type ScoreLabelOptions } from './score-labels';
export { argmax, softmax, type DenseScores, type ScoreMatrix } from './scores';
export { topKAccuracyScore, type TopKOptions } from './top-k';
