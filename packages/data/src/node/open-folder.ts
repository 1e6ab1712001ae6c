import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { DataError, shown } from '../errors';
import { type TextFiles } from '../read/banking77';

/**
 * The text files of a folder on this machine, read as UTF-8.
 * @throws DataError `MISSING_FILE` for a path outside the folder, a missing file, or bytes that are not UTF-8
 */
export function openFolder(folder: string): TextFiles {
  const root = resolve(folder);
  const inside = (path: string): string => {
    const full = join(root, path);
    const local = relative(root, full);
    if (local === '' || local.startsWith('..') || isAbsolute(local)) {
      throw new DataError('MISSING_FILE', `${shown(path)} is not inside the folder ${root}`, path);
    }
    return full;
  };
  return {
    has: async (path) =>
      stat(inside(path)).then(
        (entry) => entry.isFile(),
        () => false,
      ),
    text: async (path) => {
      const full = inside(path);
      const bytes = await readFile(full).catch((cause: unknown) => {
        throw new DataError(
          'MISSING_FILE',
          `cannot read ${full}: ${cause instanceof Error ? cause.message : 'unknown reason'}`,
          path,
        );
      });
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        throw new DataError('MISSING_FILE', `${full} is not UTF-8 text; save it as UTF-8`, path);
      }
    },
  };
}
