import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureWritableFolder, folderFiles, writeFileAtomic } from '@qlora-js/hub/node';
import type { CheckpointStore } from '../checkpoints/store';

/** Checkpoints as folders under `outputDir`; each appears whole, by renaming, or not at all. */
export function folderCheckpoints(outputDir: string): CheckpointStore {
  return {
    check: () => ensureWritableFolder(outputDir),
    save: async (name, files) => {
      await ensureWritableFolder(outputDir);
      const staging = await mkdtemp(join(outputDir, `.${name}-`));
      const target = join(outputDir, name);
      try {
        for (const [path, content] of Object.entries(files)) {
          await writeFileAtomic(join(staging, path), content);
        }
        await rm(target, { recursive: true, force: true });
        await rename(staging, target);
      } catch (error) {
        await rm(staging, { recursive: true, force: true });
        throw error;
      }
      return target;
    },
    open: (name) => folderFiles(join(outputDir, name)),
    remove: (name) => rm(join(outputDir, name), { recursive: true, force: true }),
  };
}
