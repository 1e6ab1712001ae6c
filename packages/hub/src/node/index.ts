export { fileSource } from './file-source';
export { folderFiles } from './folder-files';
export { ensureWritableFolder, writeFileAtomic } from './write-file-atomic';
export { type LazyTensor, writeSafetensors } from './write-safetensors';
