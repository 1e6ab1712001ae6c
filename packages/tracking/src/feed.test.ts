import { describe, expect, it } from 'vitest';
import { TrackingError } from './errors';
import { type FeedTiming, memoryStore, type RunEvent, RunTracking, type Tracker } from './index';
import { type Delivery } from './tracker';

/** Keeps what arrives; fails, or waits for `release`, as told. */
class Collector implements Tracker {
  readonly name = 'collector';
  readonly events: RunEvent[] = [];
  readonly deliveries: { readonly size: number; readonly repeated: boolean; readonly state: unknown }[] = [];
  private waiting: (() => void)[] = [];

  constructor(
    private readonly act: (delivery: number) => Error | 'lost' | 'wait' | undefined = () => undefined,
    readonly intervalMs?: number,
  ) {}

  async deliver({ events, repeated, state }: Delivery): Promise<number> {
    const number = this.deliveries.length;
    this.deliveries.push({ size: events.length, repeated, state });
    const act = this.act(number);
    if (act === 'wait') await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (act instanceof Error) throw act;
    this.events.push(...events);
    if (act === 'lost') throw new TrackingError('UNREACHABLE', 'the answer was lost');
    return number;
  }

  release(): void {
    for (const go of this.waiting.splice(0)) go();
  }

  get steps(): number[] {
    return this.events.flatMap((event) => (event.event === 'log' ? [event.step] : []));
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const run = { name: 'r', id: 'r1' };
/** No wait takes time, but the limit of the whole finish, which never comes. */
const timing: FeedTiming = {
  finishTimeoutMs: 1e9,
  delay: (milliseconds, signal) =>
    milliseconds === 1e9
      ? new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
      : new Promise((resolve) => setImmediate(resolve)),
};

describe('feeding a tracker', () => {
  it('keeps the order and gives each delivery what the one before it left, the start alone', async () => {
    const tracker = new Collector();
    const tracking = new RunTracking({ store: memoryStore(), run, trackers: [tracker], timing });
    for (let step = 0; step < 1200; step++) tracking.log({ loss: 1 }, step);
    expect(await tracking.finish('finished')).toMatchObject([{ complete: true, failures: 0 }]);
    expect(tracker.steps).toEqual(Array.from({ length: 1200 }, (_, step) => step));
    // 1 start, 1,200 rows and a finish in batches of at most 500.
    expect(tracker.deliveries.map(({ size, state }) => [size, state])).toEqual([
      [1, undefined],
      [500, 0],
      [500, 1],
      [201, 2],
    ]);
  });

  it('never waits for a tracker that takes its time: one delivery is under way, the rest lies in the file', async () => {
    const tracker = new Collector(() => 'wait');
    const tracking = new RunTracking({ store: memoryStore(), run, trackers: [tracker], timing });
    for (let step = 0; step < 10_000; step++) tracking.log({ loss: 1 }, step);
    await until(() => tracker.deliveries.length === 1);
    for (let step = 10_000; step < 20_000; step++) tracking.log({ loss: 1 }, step);
    expect(tracker.deliveries).toHaveLength(1);
    const finished = tracking.finish('finished');
    let done = false;
    void finished.then(() => (done = true));
    while (!done) {
      tracker.release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tracker.steps).toEqual(Array.from({ length: 20_000 }, (_, step) => step));
    expect(Math.max(...tracker.deliveries.map(({ size }) => size))).toBe(500);
  });

  it('reports the first failure alone, says when events may have come already, and catches up', async () => {
    const lines: string[] = [];
    const tracker = new Collector((n) => (n >= 1 && n <= 5 ? new Error('no today. ') : undefined));
    const tracking = new RunTracking({
      store: memoryStore(),
      run,
      trackers: [tracker],
      timing,
      report: (line) => lines.push(line),
    });
    tracking.log({ loss: 1 }, 1);
    await until(() => tracker.deliveries.length > 6);
    expect(await tracking.finish('finished')).toMatchObject([{ complete: true, failures: 5 }]);
    expect(lines).toEqual(['tracker collector: no today. The run goes on, its lines are kept.']);
    expect(tracker.deliveries.map(({ repeated }) => repeated)).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(tracker.steps).toEqual([1]);
  });

  it('leaves the rest to sync when a tracker stays down, and says so once', async () => {
    const lines: string[] = [];
    const tracker = new Collector(() => new TrackingError('SERVER_ERROR', 'down', { place: 'host' }));
    const tracking = new RunTracking({
      store: memoryStore(),
      run,
      trackers: [tracker],
      timing,
      report: (line) => lines.push(line),
    });
    expect(await tracking.finish('failed')).toMatchObject([
      { complete: false, firstFailure: { code: 'SERVER_ERROR', place: 'host' } },
    ]);
    expect(lines).toEqual([
      'tracker collector: host: down. The run goes on, its lines are kept.',
      'tracker collector: not everything has arrived; sync memory sends the rest.',
    ]);
  });

  it('asks no more once a tracker refuses', async () => {
    const tracker = new Collector(() => new TrackingError('REFUSED', 'no such user'));
    const tracking = new RunTracking({
      store: memoryStore(),
      run,
      trackers: [tracker],
      timing,
      report: () => undefined,
    });
    await until(() => tracker.deliveries.length === 1);
    tracking.log({ loss: 1 }, 1);
    expect(await tracking.finish('finished')).toMatchObject([{ complete: false, failures: 1 }]);
    expect(tracker.deliveries).toHaveLength(1);
  });

  it('gives up on a tracker that never answers', async () => {
    const tracker = new Collector(() => 'wait');
    const lines: string[] = [];
    const tracking = new RunTracking({
      store: memoryStore(),
      run,
      trackers: [tracker],
      timing: { finishTimeoutMs: 1, delay: () => Promise.resolve() },
      report: (line) => lines.push(line),
    });
    await until(() => tracker.deliveries.length === 1);
    expect(await tracking.finish('finished')).toMatchObject([{ complete: false }]);
    expect(lines[0]).toBe('tracker collector: no answer in time. The run goes on, its lines are kept.');
  });

  it('goes on in another process where the last one ended', async () => {
    const store = memoryStore();
    const first = new RunTracking({ store, run, trackers: [new Collector()], timing });
    first.log({ loss: 1 }, 1);
    await first.finish('interrupted');
    const tracker = new Collector();
    const second = new RunTracking({ store, run, trackers: [tracker], timing });
    second.log({ loss: 2 }, 2);
    await second.finish('finished');
    expect(tracker.events.map(({ event }) => event)).toEqual(['start', 'log', 'finish']);
    expect(tracker.deliveries[0]).toMatchObject({ state: 1, repeated: false });
  });

  it('refuses progress that is none', async () => {
    const store = memoryStore();
    await store.writeState('collector', '{"offset": -1}');
    const lines: string[] = [];
    const tracking = new RunTracking({
      store,
      run,
      trackers: [new Collector()],
      timing,
      report: (line) => lines.push(line),
    });
    await tracking.finish('finished');
    expect(lines[0]).toContain('what collector has received cannot be read');
  });
});
