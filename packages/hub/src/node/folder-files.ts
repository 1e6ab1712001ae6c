import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HubError } from '../error';
import { type FilesOptions, missingFile, type ModelFiles, modelFiles } from '../files/model-files';
import { checkRelativePath } from '../files/path';
import { fileSource } from './file-source';
import { systemCode, systemError } from './system-error';

/** The files of a folder, such as transformers' save_pretrained writes. Throws `NOT_FOUND` where there is no folder. */
export async function folderFiles(path: string, options: FilesOptions = {}): Promise<ModelFiles> {
  const kind = await pathKind(path);
  if (kind !== 'folder') {
    const problem = kind === 'missing' ? 'does not exist' : 'is a file: give the folder that it lies in';
    throw new HubError('NOT_FOUND', `The folder ${path} ${problem}.`, { place: path });
  }
  const has = async (file: string): Promise<boolean> => {
    checkRelativePath(file, path);
    return (await pathKind(join(path, file))) === 'file';
  };
  return modelFiles(
    path,
    {
      has,
      open: async (file) => {
        if (!(await has(file))) throw missingFile(path, file);
        return fileSource(join(path, file));
      },
    },
    options,
  );
}

/** What lies at a path, links followed. Throws where the system doesn't let one look. */
export async function pathKind(path: string): Promise<'file' | 'folder' | 'missing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return 'missing';
    throw systemError(error, 'NOT_FOUND', "Can't look at", path);
  }
}
