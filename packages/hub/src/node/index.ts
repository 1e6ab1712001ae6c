export { fileSource } from './file-source';
export { folderFiles } from './folder-files';
export { ensureWritableFolder, writeFileAtomic } from './write-file-atomic';
export {
  type FolderContent,
  type Recovered,
  recoverFolders,
  removeFolder,
  writeFolder,
  type WriteFolderOptions,
} from './write-folder';
export { type LazyTensor, writeSafetensors } from './write-safetensors';
export { type DownloadProgress, type ResolveModelOptions } from './hub/settings';
export { offlinePaths } from './hub/cached-paths';
export { resolveModel } from './resolve-model';
