import { parseRunEvent, type RunEvent } from './run-event';
import { type RunStore } from './run-store';

/** Bytes read at once; a longer line is read whole all the same. */
const CHUNK = 256 * 1024;

/** No event is longer: the longest hold a run's config or a histogram. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** What a delivery holds at most, which bounds the memory of a tracker that is behind. */
const MOST_EVENTS = 500;

/** Events that lie one after another in the file. */
export interface EventBatch {
  /** None where every line was unreadable. */
  readonly events: readonly RunEvent[];
  /** Byte offset after the last of them. */
  readonly end: number;
}

/** The whole lines from a byte offset on, as far as one delivery takes; undefined where there is none yet. */
export async function readBatch(store: RunStore, offset: number): Promise<EventBatch | undefined> {
  for (let maximum = CHUNK; ; maximum *= 2) {
    const bytes = await store.read(offset, maximum);
    const last = bytes.lastIndexOf(0x0a);
    if (last >= 0) return firstEvents(bytes.subarray(0, last + 1), offset);
    // A line that is still being written has no end yet.
    if (bytes.length < maximum || maximum >= LONGEST_LINE) return undefined;
  }
}

function firstEvents(bytes: Uint8Array, offset: number): EventBatch {
  const decoder = new TextDecoder();
  const events: RunEvent[] = [];
  let at = 0;
  while (at < bytes.length && events.length < MOST_EVENTS) {
    const end = bytes.indexOf(0x0a, at) + 1;
    const event = parseRunEvent(decoder.decode(bytes.subarray(at, end)));
    if (event?.event === 'start') {
      if (events.length > 0) break;
      return { events: [event], end: offset + end };
    }
    if (event !== undefined) events.push(event);
    at = end;
  }
  return { events, end: offset + at };
}
