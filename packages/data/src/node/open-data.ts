import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { DataError, shown } from '../errors';
import { streamSource, type ByteSource } from '../files/byte-source';
import { singleFile, type DataFiles } from '../files/data-files';
import { DEFAULT_LIMITS, tooLarge, type DataLimits } from '../files/limits';

/** Files below a folder that are looked at. */
const MAX_FILES = 10_000;

/**
 * A data set by the one word that users give: a file, a folder of files, or `-` for standard input, which is read to its
 * end at once.
 * @throws DataError `MISSING_FILE`, `TOO_LARGE`
 */
export async function openData(path: string, limits: DataLimits = DEFAULT_LIMITS): Promise<DataFiles> {
  if (path === '-') return singleFile(await streamSource(process.stdin, { name: 'standard input', limits }));
  const kind = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  return kind.isDirectory() ? folder(resolve(path), path) : singleFile(await fileSource(path, basename(path)));
}

/** The files below a folder, links and hidden ones aside. */
function folder(root: string, id: string): DataFiles {
  return {
    id,
    list: async () => {
      const paths: string[] = [];
      const walk = async (under: string): Promise<void> => {
        for (const entry of await readdir(under, { withFileTypes: true })) {
          if (entry.name.startsWith('.')) continue;
          const full = join(under, entry.name);
          if (entry.isDirectory()) await walk(full);
          else if (entry.isFile()) paths.push(relative(root, full).split(sep).join('/'));
          if (paths.length > MAX_FILES) throw tooLarge(id, `it holds more than ${MAX_FILES} files`);
        }
      };
      await walk(root);
      return paths.sort();
    },
    open: async (path) => {
      const full = join(root, path);
      const local = relative(root, full);
      if (local === '' || local.startsWith('..') || isAbsolute(local)) {
        throw new DataError('MISSING_FILE', `${shown(path)} is not inside the folder ${root}`, path);
      }
      return fileSource(full, path);
    },
  };
}

/** A file on disk; a pipe or a device is read to its end instead. @throws DataError `MISSING_FILE` */
export async function fileSource(path: string, name: string): Promise<ByteSource> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (found.isDirectory()) throw new DataError('MISSING_FILE', `${path} is a folder, a file is needed`, path);
  if (!found.isFile()) return streamSource(createReadStream(path) as AsyncIterable<Uint8Array>, { name });
  return {
    name,
    size: found.size,
    read: async (offset, length) => {
      const handle = await open(path).catch((cause: unknown) => {
        throw unreadable(path, cause);
      });
      try {
        const bytes = new Uint8Array(length);
        let done = 0;
        while (done < length) {
          const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
          if (bytesRead === 0) throw new DataError('MISSING_FILE', `${path} became shorter while it was read`, path);
          done += bytesRead;
        }
        return bytes;
      } finally {
        await handle.close();
      }
    },
  };
}

function unreadable(path: string, cause: unknown): DataError {
  return new DataError(
    'MISSING_FILE',
    `cannot read ${path}: ${cause instanceof Error ? cause.message : 'unknown'}`,
    path,
  );
}
