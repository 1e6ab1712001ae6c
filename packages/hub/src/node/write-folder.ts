import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkRelativePath } from '../files/path';
import { systemCode, systemError } from './system-error';
import { syncFolder, writeFully } from './write-file-atomic';

/** Files by their path inside a folder, with `/` between parts. */
export type FolderContent = Readonly<Record<string, Uint8Array | string>>;

/** How `writeFolder` and `removeFolder` go about it. */
export interface WriteFolderOptions {
  /**
   * Called at each point that the work passes, by name: `staged`, `FILE half`, `FILE`, `synced`, `old aside`, `in place`,
   * `old removed`; `renamed`, `removed`. What it throws ends the work as a failing disk would. For tests, and for those who count progress.
   */
  readonly at?: (point: string) => void;
}

/** What lies beside a folder meanwhile: what is to come, what it replaces, what is to be deleted. */
type Kind = 'tmp' | 'old' | 'gone';

/** A name that `recoverFolders` knows again. */
const beside = (path: string, kind: Kind): string => join(dirname(path), `.${basename(path)}.${randomUUID()}.${kind}`);

const LEFTOVER = /^\.(.+)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(tmp|old|gone)$/;

/**
 * Writes a folder so that a reader, a killed process or a machine that loses power finds all of the old one or all of the
 * new, or nothing where there was none: into a folder beside it, files and folders synced, then renamed. One that stood
 * there is renamed away first and deleted last; where a kill falls between the two renames, `recoverFolders` gives it
 * its name back. Throws `INVALID_ARGUMENT` for a path that leaves the folder, `NOT_WRITABLE`; then nothing is left behind.
 */
export async function writeFolder(path: string, files: FolderContent, options: WriteFolderOptions = {}): Promise<void> {
  const { at = () => undefined } = options;
  for (const file of Object.keys(files)) checkRelativePath(file, path);
  const staging = beside(path, 'tmp');
  let aside: string | undefined;
  try {
    await mkdir(staging);
    at('staged');
    const folders = new Set([staging]);
    for (const [file, content] of Object.entries(files)) {
      const target = join(staging, file);
      for (let folder = dirname(target); folder !== staging; folder = dirname(folder)) folders.add(folder);
      await mkdir(dirname(target), { recursive: true });
      await writeSynced(target, content, () => at(`${file} half`));
      at(file);
    }
    for (const folder of folders) await syncFolder(folder);
    at('synced');
    if (await exists(path)) {
      const old = beside(path, 'old');
      await rename(path, old);
      aside = old;
      at('old aside');
    }
    await rename(staging, path);
    await syncFolder(dirname(path));
    at('in place');
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
    if (aside !== undefined && !(await exists(path).catch(() => true)))
      await rename(aside, path).catch(() => undefined);
    throw asSystemError(error, "Can't write the folder", path);
  }
  if (aside === undefined) return;
  try {
    await rm(aside, { recursive: true, force: true });
  } catch (error) {
    throw asSystemError(error, "Can't remove what was replaced of", path);
  }
  at('old removed');
}

/** Deletes a folder so that a kill never leaves a part of it under its name: it is renamed away first. */
export async function removeFolder(path: string, { at = () => undefined }: WriteFolderOptions = {}): Promise<void> {
  const gone = beside(path, 'gone');
  try {
    await rename(path, gone);
    await syncFolder(dirname(path));
    at('renamed');
    await rm(gone, { recursive: true, force: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw asSystemError(error, "Can't remove the folder", path);
  }
  at('removed');
}

/** What `recoverFolders` did about one leftover. */
export interface Recovered {
  /** Name of the folder or file that was being written or removed. */
  readonly name: string;
  /** `restored`: the old one has its name back; `removed`: what was half written or half deleted is gone. */
  readonly action: 'restored' | 'removed';
}

/**
 * Tidies up after a process that was killed in `writeFolder`, `removeFolder` or `writeFileAtomic`: gives a folder its name
 * back where its successor never arrived, and deletes what was half written or half deleted. Touches nothing but what
 * those functions have named, and is to run while none of them does. A parent that is not there has nothing to recover.
 */
export async function recoverFolders(parent: string): Promise<Recovered[]> {
  const done: Recovered[] = [];
  for (const entry of await entriesOf(parent)) {
    const [, name, kind] = LEFTOVER.exec(entry) ?? [];
    if (name === undefined) continue;
    try {
      if (kind === 'old' && !(await exists(join(parent, name)))) {
        await rename(join(parent, entry), join(parent, name));
        done.push({ name, action: 'restored' });
      } else {
        await rm(join(parent, entry), { recursive: true, force: true });
        done.push({ name, action: 'removed' });
      }
    } catch (error) {
      throw asSystemError(error, "Can't tidy up", join(parent, entry));
    }
  }
  if (done.length > 0) await syncFolder(parent);
  return done;
}

async function entriesOf(parent: string): Promise<string[]> {
  try {
    return (await readdir(parent)).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw asSystemError(error, "Can't look into", parent);
  }
}

async function writeSynced(path: string, content: Uint8Array | string, half: () => void): Promise<void> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const file = await open(path, 'wx');
  try {
    await writeFully(file, bytes.subarray(0, bytes.length >> 1));
    half();
    await writeFully(file, bytes.subarray(bytes.length >> 1));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function asSystemError(error: unknown, doing: string, path: string): unknown {
  return systemCode(error) === undefined ? error : systemError(error, 'NOT_WRITABLE', doing, path);
}
