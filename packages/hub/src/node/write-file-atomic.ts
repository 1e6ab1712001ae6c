import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode, systemError } from './system-error';

/**
 * Writes a file so that a reader, or a machine that loses power, sees the old content or the new and nothing between:
 * into a temporary file beside the target, synced, renamed over it, and the folder synced. Throws `NOT_WRITABLE`, and
 * leaves no temporary file behind.
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  await writeAtomic(path, async (file) => writeFully(file, bytes));
}

/** As `writeFileAtomic`, with the content written by `write` piece by piece. */
export async function writeAtomic(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx');
    await write(file);
    await file.sync();
    await file.close();
    file = undefined;
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await file?.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw systemCode(error) === undefined ? error : systemError(error, 'NOT_WRITABLE', "Can't write", path);
  }
}

/** Writes all of it, however little the system takes at a time. */
export async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.byteLength - done, 2 ** 30));
    done += bytesWritten;
  }
}

/** A rename is on disk only once its folder is. Windows can't sync folders, and has no need to. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes the folder, with those above it, and tries to write a file in it: a run that can't save learns so before it
 * starts. Throws `NOT_WRITABLE` with the reason.
 */
export async function ensureWritableFolder(path: string): Promise<void> {
  const probe = join(path, `.${randomUUID()}.tmp`);
  try {
    await mkdir(path, { recursive: true });
    const file = await open(probe, 'wx');
    try {
      // Something to write: an empty file can be made on a full disk.
      await writeFully(file, new Uint8Array(4096));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw systemError(error, 'NOT_WRITABLE', "Can't write to the folder", path);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}
