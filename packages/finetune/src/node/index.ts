export {
  type DataSettings,
  fineTuneClassifier,
  type FineTuneFolderOptions,
  loadData,
  type OutputSettings,
  searchClassifier,
  STUDY_FILE,
} from './fine-tune-classifier';
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
