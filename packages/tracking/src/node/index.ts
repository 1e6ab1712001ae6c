export { folderArtifact, type FolderArtifact } from './artifact-files';
export { folderStore, RUN_FILE } from './folder-store';
export { MlflowTracker, mlflowLogin, type MlflowTrackerOptions } from './mlflow/mlflow-tracker';
export { followRunEvents, type FollowOptions, readRunEvents } from './read-run';
export { chooseTrackers, type ChosenTrackers, type Environment, TRACKER_NAMES, type TrackerName } from './report-to';
export { runFolders, type SyncedRun, type SyncOptions, syncRuns } from './sync';
export { groupedTag, TensorBoardTracker, type TensorBoardTrackerOptions } from './tensorboard/tensorboard-tracker';
export { trackRun, type TrackRunOptions } from './track-run';
export { WANDB_CLOUD, wandbLogin, WandbTracker, type WandbTrackerOptions } from './wandb/wandb-tracker';
