export { folderCheckpoints, type FolderCheckpointsOptions } from './folder-checkpoints';
export { mainThreadPort, startReplicas, workerLink, type StartReplicasOptions } from './replicas';
