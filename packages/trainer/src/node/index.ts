export { folderCheckpoints, type FolderCheckpointsOptions } from './folder-checkpoints';
export { mainThreadPort, startReplicas, workerLink, type StartReplicasOptions } from './replicas';
export { stopOnSignals, type StopOnSignalsOptions } from './stop-signals';
