import { readBatch } from '../event-batches';
import { type RunEvent } from '../run-event';
import { folderStore } from './folder-store';

/**
 * The events of a run's folder, in order; lines that are none (cut off by a crash, another program's) are left out.
 *
 * @param upToStart ends with the first start event
 * @throws TrackingError READ_FAILED
 */
export async function readRunEvents(folder: string, { upToStart = false } = {}): Promise<RunEvent[]> {
  const store = folderStore(folder, { writable: false });
  const events: RunEvent[] = [];
  for (let offset = 0; ;) {
    const batch = await readBatch(store, offset);
    if (batch === undefined) return events;
    events.push(...batch.events);
    offset = batch.end;
    if (upToStart && batch.events.some(({ event }) => event === 'start')) return events;
  }
}

/** How a run is followed. */
export interface FollowOptions {
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Milliseconds between two looks. Default 500. */
  readonly intervalMs?: number;
  /** Resolves after so many milliseconds or when the signal is aborted. Default: a timer. */
  readonly delay?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * The events of a run's folder as they come, in order: first those there are, then each further one, until the signal is aborted.
 * A run that has finished may be gone on with, so that its finish event does not end the following.
 *
 * @throws TrackingError READ_FAILED
 */
export async function* followRunEvents(
  folder: string,
  { signal, intervalMs = 500, delay = wait }: FollowOptions,
): AsyncGenerator<readonly RunEvent[]> {
  const store = folderStore(folder, { writable: false });
  for (let offset = 0; !signal.aborted;) {
    const batch = await readBatch(store, offset);
    if (batch === undefined) {
      await delay(intervalMs, signal);
      continue;
    }
    offset = batch.end;
    if (batch.events.length > 0) yield batch.events;
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(handle);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const handle = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
