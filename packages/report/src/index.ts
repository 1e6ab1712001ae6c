export { ReportError, type ReportErrorCode, type ReportErrorDetails } from './errors';
export {
  compareRuns,
  type ComparedRun,
  type CompareOptions,
  type RunComparison,
  type RunScores,
  type ScoreInterval,
} from './figures/compare-runs';
export {
  type BestStep,
  type ClassFigures,
  type ComparedFigure,
  type ConfidenceBin,
  type ConfusedPair,
  type EpochFigures,
  type Figure,
  type Point,
  type ReportFigures,
  type RunState,
  type SearchFigures,
  type Series,
  type SmoothPoint,
  type TestFigures,
  type WrongRow,
} from './figures/report-figures';
export { reportFigures } from './figures/run-figures';
export {
  type Described,
  type EarlierFigures,
  type ReportInput,
  type RunResults,
  type SavedFiles,
  type SearchResults,
  type TestResults,
  type TrialResult,
  type TrialState,
} from './input';
export { intervalSvg } from './charts/stand-alone';
export { comparisonHtml } from './page/comparison-html';
export { reportHtml } from './page/report-html';
export { REPORT_SCHEMA } from './schema';
