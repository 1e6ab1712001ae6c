export { FinetuneError, type FinetuneErrorCode, type FinetuneErrorDetails } from './errors';
export { type BaseModel, embeddedBase, EMBEDDED_BASE, openBase, type OpenBaseOptions } from './base/base';
export type { ClassifierModel, ModelFamily } from './base/family';
export { type ChatMessage, ChatTemplate, chatTemplateOf } from './generate/chat-template';
export { openTextGenerator, type OpenGeneratorOptions } from './generate/open-generator';
export { type GeneratedText, type GenerateTextOptions, TextGenerator } from './generate/text-generator';
export { type PaddingSettings } from './data/padding';
export { type LabelledRow, tokenizeSplits, type TokenSplits } from './data/tokenize';
export { baselines } from './evaluation/baselines';
export type { Baselines } from './evaluation/baseline-figures';
export { manualForward, type ManualForward } from './evaluation/manual-forward';
export { scoreRows } from './evaluation/score';
export type { Interval, LabelScore, ScoredRows, Scores } from './evaluation/scores';
export { testAdapter, type TestedAdapter, type TestMetrics, type TestPredictions } from './evaluation/test-metrics';
export { buildClassifier, buildLanguageModel, type BuildModelOptions, type BuildOptions } from './model/build';
export { adapterConfig } from './model/adapter-config';
export { type LoraSettings, type QuantizationSettings } from './model/settings';
export {
  batchesByLength,
  type LabelProbability,
  type OpenClassifierOptions,
  openTextClassifier,
  type Prediction,
  type PredictOptions,
  TextClassifier,
} from './predict/text-classifier';
export { type FineTuneContext, type Learning, type TrainingContext } from './run/context';
export {
  fineTuneClassifier,
  type FineTuneClassifierOptions,
  type FineTunedClassifier,
  prepareClassifier,
  type PrepareModelOptions,
  type PrepareOptions,
} from './run/fine-tune-classifier';
export {
  fineTuneLanguageModel,
  type FineTuneLanguageModelOptions,
  type FineTunedLanguageModel,
  prepareLanguageModel,
  type PrepareLanguageModelOptions,
} from './run/fine-tune-language-model';
export { type LanguageModelContext } from './run/language-model-context';
export { type Output, type ProgressBar, SILENT } from './run/output';
export { FINAL_ADAPTER } from './run/stages';
export { DEFAULT_SETTINGS, type FineTuneOptions, fineTuneSettings, type FineTuneSettings } from './run/settings';
export { ggufAdapter, type GgufAdapter } from './export/gguf-adapter';
export {
  mergeClassifier,
  MERGED_TYPES,
  type ComparedRows,
  type MergeClassifierOptions,
  type MergedClassifier,
} from './export/merge-classifier';
export { adapterFolder } from './saving/adapter-folder';
export { describingFiles, type AdapterFolder } from './saving/describing-files';
export { readSavedClassifier, type SavedClassifier } from './saving/classifier-config';
export { collectReport, type ReportParts, type RunReport } from './saving/report';
export { runResults, type RunResultParts } from './saving/run-results';
export { IMPORTANCE_METHOD, importancesOf } from './search/importances';
export type { SearchResult } from './search/result';
export { type SearchWorker } from './search/left-trials';
export { PRUNER_NAMES } from './search/space';
export { searchNote, searchParameters, STUDY_NAME, type SearchOptions } from './search/search';
export {
  describeParameters,
  SEARCH_SPACE_NAMES,
  SEARCH_SPACES,
  type SearchSettings,
  type SearchSpace,
} from './search/space';
export { formatLog, ProgressCallback, type ProgressOptions } from './training/progress-callback';
export { type RecordedAs } from './tracking/run-recorder';
export { type StartTracking } from './tracking/start-tracking';
export { replicaModel } from './training/replica-model';
export type { ReplicaModelOptions } from './training/replica-options';
export { type Goal, goalOf } from './task/goal';
export { type Head, headLabels, type LabelHead } from './task/head';
export { DEFAULT_THRESHOLD } from './task/outputs';
export { type SearchedParameters, type TrainingSettings } from './training/settings';
export { trainAdapter, type TrainAdapterOptions } from './training/train-adapter';
export type { TrainedAdapter } from './training/trained-adapter';
