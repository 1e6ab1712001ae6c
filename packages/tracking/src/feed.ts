import { reasonOf, TrackingError } from './errors';
import { readBatch, type EventBatch } from './event-batches';
import { type JsonValue } from './json-safe';
import { type ArtifactEvent } from './run-event';
import { type RunStore } from './run-store';
import { type Delivery, type Tracker } from './tracker';

/** How patient the feeding of a tracker is. */
export interface FeedTiming {
  /** Milliseconds a delivery may take. Default 30,000. */
  readonly deliveryTimeoutMs?: number;
  /** Milliseconds before a failed delivery is tried again; doubled by each further failure, up to a minute. Default 1,000. */
  readonly retryMs?: number;
  /** Failed deliveries in a row after which `finish` leaves the rest to `sync`. Default 3. */
  readonly finishAttempts?: number;
  /** Milliseconds that `finish` waits in all for a tracker. Default 60,000. */
  readonly finishTimeoutMs?: number;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. Default: a timer. */
  readonly delay?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** How far a tracker has come with a run. */
export interface FeedOutcome {
  /** The tracker's name. */
  readonly tracker: string;
  /** Whether everything has arrived. */
  readonly complete: boolean;
  /** Deliveries that failed. */
  readonly failures: number;
  /** The first failure, which was reported. */
  readonly firstFailure: unknown;
}

/** What is kept of a tracker beside the JSON lines. */
interface Progress {
  /** Byte offset up to which everything has arrived. */
  offset: number;
  /** A delivery was begun from there and its end is not known. */
  sending: boolean;
  /** The tracker's own. */
  state?: JsonValue;
}

const LONGEST_RETRY_MS = 60_000;

/** What one feed works with. */
export interface FeedOptions {
  readonly store: RunStore;
  readonly tracker: Tracker;
  readonly report: (line: string) => void;
  readonly timing: FeedTiming;
  /** Reads a file of an artifact, checked against what was logged. */
  readonly readArtifact: (artifact: ArtifactEvent, path: string) => Promise<Uint8Array>;
}

/**
 * Takes a run's lines to one tracker: in order, a bounded batch at a time, each once. The file is the queue, so that a tracker
 * which is behind costs no memory; how far it has come lies beside the lines, so that another process can go on.
 */
export class Feed {
  private progress: Progress = { offset: 0, sending: false };
  private failures = 0;
  private failuresInARow = 0;
  private firstFailure: unknown;
  private stopped = false;
  private finishing = false;
  private drained = false;
  private wake = new AbortController();
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  constructor(private readonly options: FeedOptions) {
    this.running = this.run();
  }

  /** Says that there are more lines. */
  nudge(): void {
    this.wake.abort();
  }

  /** Delivers what is left, as far as the tracker's answers and the time allow, and ends. */
  async finish(): Promise<FeedOutcome> {
    this.finishing = true;
    this.nudge();
    const { finishTimeoutMs = 60_000 } = this.options.timing;
    const ended = new AbortController();
    const timeout = this.delay(finishTimeoutMs, ended.signal).then(() => this.stop());
    await Promise.race([this.running, timeout]);
    ended.abort();
    await this.running;
    return this.outcome();
  }

  /** How far the tracker has come. */
  outcome(): FeedOutcome {
    const { tracker } = this.options;
    return {
      tracker: tracker.name,
      complete: this.drained,
      failures: this.failures,
      firstFailure: this.firstFailure,
    };
  }

  private stop(): void {
    this.stopped = true;
    this.stopping.abort();
    this.nudge();
  }

  private async run(): Promise<void> {
    const { store, tracker } = this.options;
    let release: (() => void) | undefined;
    try {
      release = store.claim(tracker.name);
      await this.load();
      while (!this.stopped) await this.turn();
    } catch (error) {
      this.fail(error);
    } finally {
      release?.();
    }
  }

  private async turn(): Promise<void> {
    const { store, tracker } = this.options;
    this.wake = new AbortController();
    const batch = await readBatch(store, this.progress.offset);
    if (batch === undefined && !this.finishing) {
      await aborted(this.wake.signal);
      return;
    }
    try {
      if (batch === undefined) await this.settle();
      else await this.deliver(batch);
      this.failuresInARow = 0;
      if (tracker.intervalMs !== undefined && !this.finishing && !this.stopped) await this.pause(tracker.intervalMs);
    } catch (error) {
      this.fail(error);
      const { retryMs = 1000, finishAttempts = 3 } = this.options.timing;
      if (isFinal(error) || (this.finishing && this.failuresInARow >= finishAttempts)) this.stop();
      else await this.pause(Math.min(LONGEST_RETRY_MS, retryMs * 2 ** Math.min(this.failuresInARow - 1, 16)));
    }
  }

  /** While the run goes on a wait keeps no process alive; its end is worth waiting for. */
  private delay(milliseconds: number, signal: AbortSignal): Promise<void> {
    const { delay } = this.options.timing;
    return delay === undefined ? timer(milliseconds, { signal, holds: this.finishing }) : delay(milliseconds, signal);
  }

  /** A wait that only the end of the run cuts short: new lines are no reason to hurry. */
  private async pause(milliseconds: number): Promise<void> {
    const wasFinishing = this.finishing;
    const cut = new AbortController();
    const waiting = this.delay(milliseconds, cut.signal);
    let over = false;
    void waiting.then(() => {
      over = true;
      this.nudge();
    });
    while (!over && !this.stopped && this.finishing === wasFinishing) {
      this.wake = new AbortController();
      await Promise.race([waiting, aborted(this.wake.signal)]);
    }
    cut.abort();
  }

  private async deliver({ events, end }: EventBatch): Promise<void> {
    if (events.length === 0) {
      await this.keep({ ...this.progress, offset: end });
      return;
    }
    const repeated = this.progress.sending;
    if (!repeated) await this.keep({ ...this.progress, sending: true });
    const state = await this.asked((delivery) => this.options.tracker.deliver(delivery), { events, repeated });
    await this.keep({ offset: end, sending: false, state });
  }

  /** Nothing is left to deliver and nothing more comes. */
  private async settle(): Promise<void> {
    const { tracker } = this.options;
    const { state } = this.progress;
    if (state !== undefined && tracker.settle !== undefined) {
      const settled = await this.asked((delivery) => tracker.settle!(delivery), { events: [], repeated: false });
      await this.keep({ ...this.progress, state: settled });
    }
    this.drained = true;
    this.stop();
  }

  private async asked(
    ask: (delivery: Delivery) => Promise<JsonValue>,
    rest: Pick<Delivery, 'events' | 'repeated'>,
  ): Promise<JsonValue> {
    const { timing, readArtifact, report } = this.options;
    const signal = AbortSignal.any([AbortSignal.timeout(timing.deliveryTimeoutMs ?? 30_000), this.stopping.signal]);
    return orAbort(ask({ ...rest, state: this.progress.state, signal, readArtifact, report }), signal);
  }

  private async load(): Promise<void> {
    const { store, tracker } = this.options;
    const text = await store.readState(tracker.name);
    if (text === undefined) return;
    const progress = parseProgress(text);
    if (progress === undefined || progress.offset > store.size()) {
      throw new TrackingError('READ_FAILED', `what ${tracker.name} has received cannot be read`, {
        place: store.place,
        remedy: `Remove the file of ${tracker.name} in its folder trackers to send the whole run again`,
      });
    }
    this.progress = progress;
  }

  private async keep(progress: Progress): Promise<void> {
    await this.options.store.writeState(this.options.tracker.name, `${JSON.stringify(progress)}\n`);
    this.progress = progress;
  }

  private fail(error: unknown): void {
    if (this.stopping.signal.aborted && this.failures > 0) return;
    this.failures++;
    this.failuresInARow++;
    if (this.failures > 1) return;
    this.firstFailure = error;
    const { report, tracker } = this.options;
    report(`tracker ${tracker.name}: ${reasonOf(error)}. The run goes on, its lines are kept.`);
  }
}

/** Errors that trying again would not change. */
function isFinal(error: unknown): boolean {
  return TrackingError.isInstance(error) && ['REFUSED', 'ARTIFACT_CHANGED', 'IN_USE'].includes(error.code);
}

function parseProgress(text: string): Progress | undefined {
  try {
    const { offset, sending, state } = JSON.parse(text) as Progress;
    if (Number.isSafeInteger(offset) && offset >= 0 && typeof sending === 'boolean') return { offset, sending, state };
  } catch {
    // Not JSON: the caller says so.
  }
  return undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A delivery that does not heed its signal is left behind when the time is over. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new TrackingError('TIMEOUT', 'no answer in time'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function timer(milliseconds: number, { signal, holds }: { signal: AbortSignal; holds: boolean }): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(handle);
      resolve();
    };
    const handle = setTimeout(end, milliseconds);
    // Node's timers can be kept from holding the process; a browser's need not.
    if (!holds) (handle as unknown as { unref?: () => void }).unref?.();
    signal.addEventListener('abort', end, { once: true });
  });
}
