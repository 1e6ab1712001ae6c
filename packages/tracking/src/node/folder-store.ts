import { randomUUID } from 'node:crypto';
import { readFileSync, statSync, unlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { reasonOf, TrackingError } from '../errors';
import { type RunStore } from '../run-store';
import { AppendFile } from './append-file';

/** Name of the JSON lines in a run's folder. */
export const RUN_FILE = 'run.jsonl';

/** Folder in a run's folder that says how far each tracker has come. */
const TRACKERS = 'trackers';

/**
 * A run's folder: `run.jsonl`, and `trackers/NAME.json` for each tracker. One process at a time writes it.
 *
 * @param writable false for a store that only feeds trackers from what is there
 * @throws TrackingError WRITE_FAILED, READ_FAILED
 */
export function folderStore(folder: string, { writable = true } = {}): RunStore {
  const path = join(folder, RUN_FILE);
  let file: AppendFile | undefined;
  if (writable) {
    file = AppendFile.open(path);
    // A run that was cut off inside a line must not take the next line with it.
    if (!file.endsWithLine()) file.append(Uint8Array.of(0x0a));
  }
  const trackers = join(folder, TRACKERS);
  return {
    place: folder,
    append: (lines) => {
      if (file === undefined) throw new TrackingError('RUN_FINISHED', 'the run is closed', { place: path });
      file.append(new TextEncoder().encode(lines));
    },
    read: (offset, maximum) => readRange(path, offset, maximum),
    size: () => failing('READ_FAILED', path, () => statSync(path).size),
    readState: async (name) => {
      const place = join(trackers, `${name}.json`);
      try {
        return await readFile(place, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new TrackingError('READ_FAILED', reasonOf(error), { place, cause: error });
      }
    },
    writeState: async (name, text) => {
      const place = join(trackers, `${name}.json`);
      const temporary = join(trackers, `.${name}.${randomUUID()}`);
      try {
        await mkdir(trackers, { recursive: true });
        const handle = await open(temporary, 'wx');
        try {
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, place);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw new TrackingError('WRITE_FAILED', reasonOf(error), { place, cause: error });
      }
    },
    claim: (name) => claim(trackers, name),
    readFile: async (below, name) => {
      const place = resolve(folder, below, name);
      try {
        return await readFile(place);
      } catch (error) {
        throw new TrackingError('READ_FAILED', reasonOf(error), { place, cause: error });
      }
    },
    close: () => {
      file?.close();
      file = undefined;
    },
  };
}

async function readRange(path: string, offset: number, maximum: number): Promise<Uint8Array> {
  try {
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      const bytes = new Uint8Array(Math.max(0, Math.min(maximum, size - offset)));
      let read = 0;
      while (read < bytes.length) {
        const { bytesRead } = await handle.read(bytes, read, bytes.length - read, offset + read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
      return bytes.subarray(0, read);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new TrackingError('READ_FAILED', reasonOf(error), { place: path, cause: error });
  }
}

/** A file that names the process; one whose process is gone is taken over. */
function claim(folder: string, name: string): () => void {
  const path = join(folder, `${name}.lock`);
  const own = `${process.pid}@${hostname()} ${randomUUID()}`;
  for (let attempt = 0; ; attempt++) {
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, own, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new TrackingError('WRITE_FAILED', reasonOf(error), { place: path, cause: error });
      }
      const owner = ownerOf(path);
      if (attempt > 0 || !isGone(owner)) {
        throw new TrackingError('IN_USE', `process ${owner.split(' ')[0]} sends this run already`, {
          place: path,
          remedy: 'Wait for its end; remove the file where that process is gone',
        });
      }
      remove(path);
    }
  }
  return () => {
    if (ownerOf(path) === own) remove(path);
  };
}

function ownerOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, 400);
  } catch {
    return '';
  }
}

/** Of another machine nothing can be known. */
function isGone(owner: string): boolean {
  const [, pid, host] = /^(\d+)@(\S+) /.exec(owner) ?? [];
  if (pid === undefined) return owner === '';
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or not ours to remove: the next claim says so.
  }
}

function failing<T>(code: 'READ_FAILED', place: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new TrackingError(code, reasonOf(error), { place, cause: error });
  }
}
