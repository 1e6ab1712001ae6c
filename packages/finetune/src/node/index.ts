export {
  type DataSettings,
  fineTuneClassifier,
  type FineTuneFolderOptions,
  loadData,
  searchClassifier,
} from './fine-tune-classifier';
export {
  fineTuneLanguageModel,
  type FineTuneLanguageModelFolderOptions,
  type TextSettings,
} from './fine-tune-language-model';
export { type OutputSettings, type RunFolderOptions, STUDY_FILE } from './open-run';
export { loadTextGenerator, type LoadGeneratorOptions } from './load-generator';
export { downloadBars } from './download-bars';
export { TRIALS_FOLDER, type TrackingSettings } from './folder-records';
export { type ReportSettings } from './write-report';
export { loadTextClassifier, mergeAdapterFolder, type LoadClassifierOptions } from './load-classifier';
export { findBase, type FindBaseOptions, type HubOptions } from './open-base';
export { findData, type FindDataOptions } from './open-data';
export { openStorage, SHARED_HEARTBEAT, thisProcess, type OpenedStorage } from './open-storage';
export { type OutputFolderOptions, prepareOutputFolder, writeAdapter } from './output-folder';
export { type ReplicaSetup } from './replica-setup';
export { startThreads } from './threads';
