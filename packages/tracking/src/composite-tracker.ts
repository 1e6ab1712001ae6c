import { TrackingError } from './errors';
import { withoutSecrets } from './json-safe';
import { type MetricValues, type RunStatus, type SummaryValues, type TrackedRun, type Tracker } from './tracker';

export interface CompositeTrackerOptions {
  /** Gets one line for a tracker's first failure, and one at the end where more followed. Default console.warn. */
  report?: (line: string) => void;
  /** How long start and finish wait for a tracker, in milliseconds. Default 30,000. */
  timeoutMs?: number;
  /** Calls that may wait for a slow tracker; what comes on top is dropped and counted as failed. Default 10,000. */
  maxPending?: number;
}

/** What went wrong with one tracker in the current or latest run. */
export interface TrackerFailures {
  tracker: string;
  failedCalls: number;
  calls: number;
  /** The first failure, which was reported. */
  first: unknown;
}

/**
 * Several trackers as one that never throws, never rejects and never makes the training wait: a tracker that works
 * synchronously is called at once; calls to one that does not queue up behind each other, in order. A tracker that fails is
 * reported once and stays in use (a server may come back), unless its start failed: then it gets no other call of that run.
 */
export class CompositeTracker implements Tracker {
  readonly name: string;
  private readonly lanes: Lane[];
  private readonly timeoutMs: number;

  constructor(trackers: readonly Tracker[], options: CompositeTrackerOptions = {}) {
    const { report = (line: string) => console.warn(line), timeoutMs = 30_000, maxPending = 10_000 } = options;
    for (const [name, value] of Object.entries({ timeoutMs, maxPending })) {
      if (!(value > 0))
        throw new TrackingError('INVALID_OPTION', `${name} is ${String(value)}: pass a number above 0.`, value);
    }
    this.name = `composite(${trackers.map((tracker) => tracker.name).join(', ')})`;
    this.timeoutMs = timeoutMs;
    this.lanes = trackers.map((tracker) => new Lane(tracker, safely(report), maxPending));
  }

  /** Resolves when every tracker has started or failed, or after the timeout; later calls wait for a late start. */
  async start(run: TrackedRun): Promise<void> {
    for (const lane of this.lanes) lane.start(run);
    await this.settled('start');
  }

  log(metrics: MetricValues, step: number): void {
    const kept = { ...metrics };
    for (const lane of this.lanes) lane.call('log', (tracker) => tracker.log(kept, step));
  }

  summary(values: SummaryValues): void {
    const kept = { ...values };
    for (const lane of this.lanes) lane.call('summary', (tracker) => tracker.summary?.(kept));
  }

  /** Finishes every tracker that started, waiting for each up to the timeout; then reports how many calls failed. */
  async finish(status: RunStatus): Promise<void> {
    for (const lane of this.lanes) lane.call('finish', (tracker) => tracker.finish(status));
    await this.settled('finish');
    for (const lane of this.lanes) lane.reportTotal();
  }

  /** One entry for each tracker with a failed call in the current or latest run. */
  get failures(): TrackerFailures[] {
    return this.lanes.flatMap((lane) => lane.failures);
  }

  private async settled(call: string): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.settled(call, this.timeoutMs)));
  }
}

/** One tracker, its queue, and its failures. */
class Lane {
  private tail: Promise<void> | undefined;
  private pending = 0;
  private calls = 0;
  private failed = 0;
  private first: unknown;
  private dead = false;

  constructor(
    private readonly tracker: Tracker,
    private readonly report: (line: string) => void,
    private readonly maxPending: number,
  ) {}

  get failures(): TrackerFailures[] {
    if (this.failed === 0) return [];
    return [{ tracker: this.tracker.name, failedCalls: this.failed, calls: this.calls, first: this.first }];
  }

  start(run: TrackedRun): void {
    this.calls = 0;
    this.failed = 0;
    this.first = undefined;
    this.enqueue('start', (tracker) => {
      this.dead = false;
      return tracker.start(run);
    });
  }

  call(name: string, act: (tracker: Tracker) => void | Promise<void>): void {
    // Looked at when its turn comes: a queued start may still fail.
    this.enqueue(name, (tracker) => (this.dead ? undefined : act(tracker)));
  }

  private enqueue(name: string, act: (tracker: Tracker) => void | Promise<void>): void {
    if (!this.dead || name === 'start') this.calls++;
    if (this.tail === undefined) {
      let result: void | Promise<void>;
      try {
        result = act(this.tracker);
      } catch (error) {
        this.fail(name, error);
        return;
      }
      // Not instanceof: a promise of another realm, or a client's own thenable, counts too.
      if (typeof result?.then === 'function') this.follow(name, Promise.resolve(result));
      return;
    }
    // A finish is never dropped: it closes files.
    if (this.pending >= this.maxPending && name !== 'finish') {
      const message = `${this.pending} calls wait for it already; this and later ones are dropped until it catches up`;
      this.fail(name, new TrackingError('OVERLOADED', message));
      return;
    }
    this.follow(
      name,
      this.tail.then(() => act(this.tracker)),
    );
  }

  private follow(name: string, result: Promise<void>): void {
    this.pending++;
    const tail = result
      .catch((error: unknown) => this.fail(name, error))
      .then(() => {
        this.pending--;
        if (this.tail === tail) this.tail = undefined;
      });
    this.tail = tail;
  }

  async settled(call: string, timeoutMs: number): Promise<void> {
    if (this.tail === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<'timeout'>((resolve) => {
      timer = setTimeout(() => resolve('timeout'), timeoutMs);
    });
    const outcome = await Promise.race([this.tail, timeout]);
    clearTimeout(timer);
    if (outcome === 'timeout') {
      this.fail(
        '',
        new TrackingError(
          'TIMEOUT',
          `${call} did not end within ${timeoutMs} ms; the training goes on without waiting`,
        ),
      );
    }
  }

  reportTotal(): void {
    if (this.failed > 1) {
      this.report(`Tracker ${this.tracker.name}: ${this.failed} failures in ${this.calls} calls of this run.`);
    }
  }

  private fail(call: string, error: unknown): void {
    if (call === 'start') this.dead = true;
    if (++this.failed > 1) return;
    this.first = error;
    const reason = withoutSecrets(error instanceof Error ? error.message : String(error)).replace(/[.\s]+$/, '');
    const consequence =
      call === 'start' ? ' It records nothing of this run.' : ' Its later failures are counted, not shown.';
    this.report(`Tracker ${this.tracker.name}${call && ` failed in ${call}`}: ${reason}.${consequence}`);
  }
}

function safely(report: (line: string) => void): (line: string) => void {
  return (line) => {
    try {
      report(line);
    } catch {
      // The last place to say so has failed itself; the training matters more.
    }
  };
}
