import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, sep } from 'node:path';
import { ensureWritableFolder, folderFiles, recoverFolders, removeFolder, writeFolder } from '@qlora-js/hub/node';
import type { CheckpointStore } from '../checkpoints/store';

/** Where checkpoints go when they can't go where they belong. */
export interface FolderCheckpointsOptions {
  /** Under which a folder is made for what could not be written; default the system's folder for temporary files. */
  readonly rescueDir?: string;
  /** Called at each point that a write or a removal passes, as `writeFolder` of @qlora-js/hub/node does; for tests. */
  readonly at?: (point: string) => void;
}

/**
 * Checkpoints as folders under `outputDir`, which is made where it is not there. Each appears whole, by renaming, or not at
 * all, and disappears so too; what a killed process has left is tidied up before the first step. `open` also takes a path.
 */
export function folderCheckpoints(outputDir: string, options: FolderCheckpointsOptions = {}): CheckpointStore {
  const { rescueDir = tmpdir(), at } = options;
  const pathOf = (name: string): string => (isAbsolute(name) || name.includes(sep) ? name : join(outputDir, name));
  return {
    locate: pathOf,
    prepare: async () => {
      await ensureWritableFolder(outputDir);
      const recovered = await recoverFolders(outputDir);
      return recovered.map(({ name, action }) =>
        action === 'restored'
          ? `${pathOf(name)}: restored, a run was killed while it replaced it`
          : `${pathOf(name)}: what a killed run has left half done was removed`,
      );
    },
    list: async () => {
      const entries = await readdir(outputDir, { withFileTypes: true }).catch(() => []);
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    },
    save: (name, files) => writeFolder(pathOf(name), files, { at }),
    open: (name) => folderFiles(pathOf(name)),
    remove: (name) => removeFolder(pathOf(name), { at }),
    rescue: async (name, files) => {
      const target = join(await mkdtemp(join(rescueDir, 'qlora-rescue-')), name);
      await writeFolder(target, files);
      return target;
    },
  };
}
