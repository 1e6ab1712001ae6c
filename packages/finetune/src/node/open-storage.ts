import { hostname } from 'node:os';
import { JournalStorage, type HeartbeatOptions, type JsonValue, type Storage } from '@qlora-js/hpo';
import { JournalFileBackend } from '@qlora-js/hpo/node';
import type { SearchWorker } from '../search/left-trials';

/** How workers that share a study say that they live; one of which nothing is heard for the grace period is dead. */
export const SHARED_HEARTBEAT: HeartbeatOptions = { intervalMs: 10_000, graceMs: 60_000 };

/** A storage, and how it is closed. */
export interface OpenedStorage {
  /** Where studies are. */
  readonly storage: Storage;
  /** Sends what is still on its way, and ends connections. */
  readonly close: () => Promise<void>;
}

/**
 * Opens what a word names: sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE, in Optuna's tables, or the
 * path of a journal in Optuna's format, which is made where there is none.
 *
 * @throws HpoError STORAGE_UNAVAILABLE, NEWER_SCHEMA, INVALID_ARGUMENT, JOURNAL_NOT_WRITABLE
 */
export async function openStorage(
  word: string,
  { heartbeat }: { readonly heartbeat?: HeartbeatOptions } = {},
): Promise<OpenedStorage> {
  if (/^[a-z][a-z0-9+]*:\/\//i.test(word)) {
    const { RdbStorage } = await import('@qlora-js/hpo/rdb');
    const storage = await RdbStorage.open(word, { heartbeat });
    return { storage, close: () => storage.close() };
  }
  const storage = new JournalStorage(new JournalFileBackend(word), { heartbeat });
  return { storage, close: () => storage.refresh() };
}

/** This process, as the trials of a search in a folder name it. */
export function thisProcess(): SearchWorker {
  const id = { host: hostname(), pid: process.pid };
  return { id, isDead: (other) => !lives(other) };
}

/** A folder's search has one process: one of another machine, or of a container before this one, is not there any more. */
function lives(worker: JsonValue): boolean {
  const { host, pid } = (worker ?? {}) as { readonly host?: unknown; readonly pid?: unknown };
  if (host !== hostname() || typeof pid !== 'number' || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
