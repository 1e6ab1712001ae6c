import { memoryFiles } from '@qlora-js/hub';
import type { CheckpointFiles, CheckpointStore } from '@qlora-js/trainer';
import { fileIn, filesIn, folderIn, namesIn, remove, writeFile } from './opfs';

/** Written after all else, so that what a killed page has left half written is known by its lack. */
const WHOLE = 'whole';

/** Checkpoints as folders of the browser's file system for pages. */
export function opfsCheckpoints(
  folder: FileSystemDirectoryHandle,
  onSaved: (name: string) => void = () => undefined,
): CheckpointStore {
  const isWhole = async (name: string): Promise<boolean> => {
    const checkpoint = await folderIn(folder, name);
    return checkpoint !== undefined && (await fileIn(checkpoint, WHOLE)) !== undefined;
  };
  const list = async (): Promise<string[]> => {
    const names = await namesIn(folder, 'directory');
    const whole = await Promise.all(names.map(isWhole));
    return names.filter((_, index) => whole[index]);
  };
  return {
    locate: (name) => `${name} in this browser`,
    prepare: async () => {
      const whole = await list();
      const left = (await namesIn(folder, 'directory')).filter((name) => !whole.includes(name));
      for (const name of left) await remove(folder, name);
      return left.map((name) => `${name}: what a closed page has left half done was removed`);
    },
    list,
    save: async (name: string, files: CheckpointFiles) => {
      await remove(folder, name);
      const checkpoint = await folder.getDirectoryHandle(name, { create: true });
      for (const [path, content] of Object.entries(files)) {
        await writeFile(checkpoint, path, typeof content === 'string' ? content : new Uint8Array(content));
      }
      await writeFile(checkpoint, WHOLE, '');
      onSaved(name);
    },
    open: async (name) => {
      const { [WHOLE]: _, ...files } = await filesIn(await folder.getDirectoryHandle(name));
      return memoryFiles(name, files);
    },
    remove: (name) => remove(folder, name),
  };
}
