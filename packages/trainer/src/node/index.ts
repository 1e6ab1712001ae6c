export { folderCheckpoints } from './folder-checkpoints';
