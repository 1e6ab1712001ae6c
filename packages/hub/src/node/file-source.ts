import { type BigIntStats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { HubError } from '../error';
import { type ByteSource, checkRange } from '../files/byte-source';
import { systemCode, systemError } from './system-error';

/**
 * A file on disk as a source. The file is opened for each read and closed after it, so that nothing is left open; one
 * that was changed or replaced in between is an error (`FILE_CHANGED`), as its directory of tensors no longer holds.
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const first = await statFile(path);
  const source: ByteSource = {
    size: Number(first.size),
    name: path,
    read: async (offset, length) => {
      checkRange(source, offset, length);
      let file: FileHandle | undefined;
      try {
        file = await open(path, 'r');
        if (!sameFile(first, await file.stat({ bigint: true }))) {
          throw new HubError('FILE_CHANGED', `${path} was changed while it was being read: open it again.`, {
            place: path,
          });
        }
        return await readFully(file, offset, length, source);
      } catch (error) {
        throw systemError(error, systemCode(error) === 'ENOENT' ? 'FILE_CHANGED' : 'NOT_FOUND', "Can't read", path);
      } finally {
        await file?.close();
      }
    },
  };
  return source;
}

async function readFully(file: FileHandle, offset: number, length: number, source: ByteSource): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    // One read is limited to 2 GiB by the system.
    const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 2 ** 30), offset + done);
    if (bytesRead === 0) checkRange({ ...source, size: offset + done }, offset, length);
    done += bytesRead;
  }
  return bytes;
}

async function statFile(path: string): Promise<BigIntStats> {
  let result: BigIntStats;
  try {
    result = await stat(path, { bigint: true });
  } catch (error) {
    throw systemError(error, 'NOT_FOUND', "Can't read", path);
  }
  if (!result.isFile()) throw new HubError('NOT_FOUND', `Can't read ${path}: it is not a file`, { place: path });
  return result;
}

function sameFile(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeNs === b.mtimeNs;
}
