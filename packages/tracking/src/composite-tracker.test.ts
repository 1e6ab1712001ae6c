import { describe, expect, it } from 'vitest';
import { CompositeTracker, MemoryTracker, type RunStatus, type Tracker, TrackingError } from './index';

/** A tracker whose calls fail, or wait for `release`, as told. */
class Troubled implements Tracker {
  readonly seen: string[] = [];
  private waiting: (() => void)[] = [];

  constructor(
    readonly name: string,
    private readonly fails: (call: string) => boolean,
    private readonly slow = false,
  ) {}

  start(): void | Promise<void> {
    return this.act('start');
  }

  log(_metrics: unknown, step: number): void | Promise<void> {
    return this.act(`log ${step}`);
  }

  async finish(status: RunStatus): Promise<void> {
    await this.act(`finish ${status}`);
  }

  release(): void {
    for (const go of this.waiting.splice(0)) go();
  }

  private act(call: string): void | Promise<void> {
    this.seen.push(call);
    const end = (): void => {
      if (this.fails(call)) throw new Error(`no ${call} today`);
    };
    return this.slow ? new Promise<void>((resolve) => this.waiting.push(resolve)).then(end) : end();
  }
}

const never = (): boolean => false;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await soon();
}

describe('CompositeTracker', () => {
  it('hands every call to every tracker, synchronous ones at once', async () => {
    const [a, b] = [new MemoryTracker(), new MemoryTracker()];
    const all = new CompositeTracker([a, b]);
    expect(all.name).toBe('composite(memory, memory)');
    await all.start({ runName: 'r' });
    all.log({ loss: 1 }, 10);
    expect(a.series('loss')).toEqual([{ step: 10, value: 1 }]);
    all.summary({ best: 2 });
    await all.finish('finished');
    expect(b.runs).toEqual([
      { runName: 'r', logs: [{ step: 10, metrics: { loss: 1 } }], summary: { best: 2 }, status: 'finished' },
    ]);
    expect(all.failures).toEqual([]);
  });

  it('reports a failing tracker once, goes on with it and with the others, and tells the number at the end', async () => {
    const lines: string[] = [];
    const bad = new Troubled('bad', (call) => call.startsWith('log'));
    const good = new MemoryTracker();
    const all = new CompositeTracker([bad, good], { report: (line) => lines.push(line) });
    await all.start({ runName: 'r' });
    for (let step = 0; step < 5; step++) all.log({ loss: step }, step);
    expect(lines).toEqual(['Tracker bad failed in log: no log 0 today. Its later failures are counted, not shown.']);
    await all.finish('failed');
    expect(lines.slice(1)).toEqual(['Tracker bad: 5 failures in 7 calls of this run.']);
    expect(bad.seen).toEqual(['start', 'log 0', 'log 1', 'log 2', 'log 3', 'log 4', 'finish failed']);
    expect(good.series('loss')).toHaveLength(5);
    expect(all.failures).toMatchObject([
      { tracker: 'bad', failedCalls: 5, calls: 7, first: { message: 'no log 0 today' } },
    ]);
  });

  it('leaves a tracker alone whose start failed, synchronously or not, until the next run', async () => {
    const lines: string[] = [];
    let broken = true;
    const throws = new Troubled('throws', (call) => broken && call === 'start');
    const rejects = new Troubled('rejects', (call) => broken && call === 'start', true);
    const all = new CompositeTracker([throws, rejects], { report: (line) => lines.push(line) });
    const started = all.start({ runName: 'r' });
    all.log({ loss: 1 }, 1);
    rejects.release();
    await started;
    all.log({ loss: 1 }, 2);
    await all.finish('finished');
    expect(throws.seen).toEqual(['start']);
    expect(rejects.seen).toEqual(['start']);
    expect(lines).toEqual([
      'Tracker throws failed in start: no start today. It records nothing of this run.',
      'Tracker rejects failed in start: no start today. It records nothing of this run.',
    ]);
    broken = false;
    const again = all.start({ runName: 's' });
    rejects.release();
    await again;
    all.log({ loss: 1 }, 3);
    expect(throws.seen.slice(1)).toEqual(['start', 'log 3']);
    expect(all.failures).toEqual([]);
  });

  it('does not wait for a slow tracker, and keeps its calls in order', async () => {
    const slow = new Troubled('slow', never, true);
    const all = new CompositeTracker([slow]);
    const started = all.start({ runName: 'r' });
    const metrics = { loss: 1 };
    all.log(metrics, 1);
    all.log(metrics, 2);
    expect(slow.seen).toEqual(['start']);
    const finished = all.finish('finished');
    for (const calls of [1, 2, 3, 4]) {
      await until(() => slow.seen.length === calls);
      slow.release();
    }
    await started;
    await finished;
    expect(slow.seen).toEqual(['start', 'log 1', 'log 2', 'finish finished']);
  });

  it('queues what was logged, not what the object became', async () => {
    const seen: number[] = [];
    let release = (): void => undefined;
    const tracker: Tracker = {
      name: 'late',
      start: () => new Promise<void>((resolve) => (release = resolve)),
      log: ({ loss }) => void seen.push(loss!),
      finish: async () => undefined,
    };
    const all = new CompositeTracker([tracker]);
    const started = all.start({ runName: 'r' });
    const metrics = { loss: 1 };
    all.log(metrics, 1);
    metrics.loss = 99;
    release();
    await started;
    await all.finish('finished');
    expect(seen).toEqual([1]);
  });

  it('gives up waiting for a tracker that hangs, and bounds what waits for it', async () => {
    const lines: string[] = [];
    const hung = new Troubled('hung', never, true);
    const all = new CompositeTracker([hung], { report: (line) => lines.push(line), timeoutMs: 5, maxPending: 3 });
    await all.start({ runName: 'r' });
    for (let step = 0; step < 10; step++) all.log({ loss: 1 }, step);
    await all.finish('finished');
    expect(hung.seen).toEqual(['start']);
    expect(lines[0]).toMatch(/^Tracker hung: start did not end within 5 ms; the training goes on without waiting/);
    // Two of ten logs fit beside the start; eight are dropped; start and finish timed out.
    expect(lines[1]).toBe('Tracker hung: 10 failures in 12 calls of this run.');
    expect(lines).toHaveLength(2);
  });

  it('keeps tokens out of what it reports, and survives a report that throws', async () => {
    const lines: string[] = [];
    const leaky: Tracker = {
      name: 'leaky',
      start: () => {
        throw new Error('401 for https://me:pa55word@host/x with Bearer abcdefghijkl and hf_abcdefghijklmnopqrstuv');
      },
      log: () => undefined,
      finish: async () => undefined,
    };
    await new CompositeTracker([leaky], { report: (line) => lines.push(line) }).start({ runName: 'r' });
    expect(lines[0]).toContain('401 for https://[redacted]@host/x with Bearer [redacted] and [redacted]');
    const throwing = () => {
      throw new Error('no console');
    };
    await expect(new CompositeTracker([leaky], { report: throwing }).start({ runName: 'r' })).resolves.toBeUndefined();
  });

  it('refuses options that cannot be meant', () => {
    expect(() => new CompositeTracker([], { timeoutMs: 0 })).toThrow(TrackingError);
    expect(() => new CompositeTracker([], { maxPending: NaN })).toThrow(/maxPending is NaN/);
  });
});

describe('MemoryTracker', () => {
  it('keeps runs apart and gives the series of a metric', async () => {
    const tracker = new MemoryTracker();
    tracker.start({ runName: 'a', config: { lr: 1 }, tags: ['t'] });
    tracker.log({ loss: 3, constructor: 1 }, 0);
    tracker.log({ eval_f1: 0.5 }, 1);
    tracker.log({ loss: NaN }, 2);
    expect(tracker.series('loss')).toEqual([
      { step: 0, value: 3 },
      { step: 2, value: NaN },
    ]);
    expect(tracker.series('toString')).toEqual([]);
    await tracker.finish('interrupted');
    tracker.start({ runName: 'b' });
    expect(tracker.runs.map(({ runName, status }) => [runName, status])).toEqual([
      ['a', 'interrupted'],
      ['b', undefined],
    ]);
    expect(tracker.series('loss')).toEqual([]);
  });

  it.each([
    ['NOT_STARTED', (t: MemoryTracker) => t.log({ loss: 1 }, 0)],
    ['NOT_STARTED', (t: MemoryTracker) => t.summary({})],
    ['ALREADY_STARTED', (t: MemoryTracker) => (t.start({ runName: 'a' }), t.start({ runName: 'b' }))],
    ['INVALID_STEP', (t: MemoryTracker) => (t.start({ runName: 'a' }), t.log({ loss: 1 }, -1))],
    ['INVALID_STEP', (t: MemoryTracker) => (t.start({ runName: 'a' }), t.log({ loss: 1 }, 0.5))],
    ['INVALID_METRIC', (t: MemoryTracker) => (t.start({ runName: 'a' }), t.log({ loss: 'low' as never }, 0))],
    ['INVALID_METRIC', (t: MemoryTracker) => (t.start({ runName: 'a' }), t.log({ '': 1 }, 0))],
  ])('refuses misuse with %s', (code, act) => {
    expect(() => act(new MemoryTracker())).toThrow(expect.objectContaining({ name: 'TrackingError', code }));
  });
});
