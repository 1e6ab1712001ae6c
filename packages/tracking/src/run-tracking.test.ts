import { describe, expect, it } from 'vitest';
import { type HistogramEvent, memoryStore, parseRunEvent, RunTracking, trackingCallback, TrackingError } from './index';

const now = (): number => Date.UTC(2024, 0, 2, 3, 4, 5, 678);
const time = '2024-01-02T03:04:05.678Z';

describe('a run', () => {
  it('is one JSON object a line, with the numbers that JSON lacks as strings', async () => {
    const store = memoryStore();
    const tracking = new RunTracking({
      store,
      now,
      secrets: ['s3cr3t-k3y-"x"'],
      run: {
        name: 'nf4 "a"\n',
        id: 'r1',
        group: 'search',
        config: { learning_rate: 5e-4, hub_token: 'x' },
        tags: ['é'],
      },
    });
    tracking.log({ loss: 1.25, grad_norm: NaN, scale: -Infinity }, 10);
    tracking.histogram('w', Float32Array.of(0, 0.5, 1, NaN), 10);
    tracking.summary({ best: Infinity, device: 's3cr3t-k3y-"x"', resumed: false });
    await tracking.finish('finished');
    const lines = store.text.split('\n');
    expect(lines[0]).toBe(
      `{"event":"start","time":"${time}","id":"r1","name":"nf4 \\"a\\"\\n","project":"qlora","group":"search","config":{"learning_rate":0.0005,"hub_token":"[redacted]"},"tags":["é"],"report_to":[]}`,
    );
    expect(lines[1]).toBe(
      `{"event":"log","time":"${time}","step":10,"metrics":{"loss":1.25,"grad_norm":"NaN","scale":"-Infinity"}}`,
    );
    expect(lines[3]).toBe(
      `{"event":"summary","time":"${time}","values":{"best":"Infinity","device":"[redacted]","resumed":false}}`,
    );
    expect(parseRunEvent(lines[1]!)).toEqual({
      event: 'log',
      time,
      step: 10,
      metrics: { loss: 1.25, grad_norm: NaN, scale: -Infinity },
    });
    const histogram = parseRunEvent(lines[2]!);
    expect(histogram).toMatchObject({ event: 'histogram', name: 'w', step: 10 });
    const { counts, edges } = histogram as HistogramEvent;
    expect([counts[0], counts[15], counts[29], edges[0], edges[30]]).toEqual([1, 1, 1, 0, 1]);
    expect(lines.slice(4)).toEqual([`{"event":"finish","time":"${time}","status":"finished"}`, '']);
  });

  it('loses lines on a full disk, goes on, and says how many', async () => {
    const store = memoryStore();
    let full = false;
    const lines: string[] = [];
    const append = store.append.bind(store);
    const tracking = new RunTracking({
      store: {
        ...store,
        append: (text) => {
          if (full) throw new TrackingError('WRITE_FAILED', 'ENOSPC', { place: 'run.jsonl' });
          append(text);
        },
      },
      run: { name: 'r' },
      report: (line) => lines.push(line),
    });
    full = true;
    for (let step = 0; step < 5; step++) tracking.log({ loss: 1 }, step);
    full = false;
    tracking.log({ loss: 1 }, 5);
    await tracking.finish('finished');
    const events = store.text
      .trimEnd()
      .split('\n')
      .map((line) => parseRunEvent(line)!);
    expect(events.map(({ event }) => event)).toEqual(['start', 'lost', 'log', 'finish']);
    expect(events[1]).toMatchObject({ lines: 5 });
    expect(lines).toEqual([
      'run.jsonl: ENOSPC. The run goes on, lines are lost until it can be written.',
      'memory: 5 lines could not be written.',
    ]);
  });

  it.each([
    ['INVALID_ARGUMENT', (t: RunTracking) => t.log({ loss: 1 }, -1), /the step is -1/],
    ['INVALID_ARGUMENT', (t: RunTracking) => t.log({ loss: 1 }, 0.5), /the step is 0.5/],
    ['INVALID_ARGUMENT', (t: RunTracking) => t.log({ loss: 'low' as never }, 0), /step 0: metric "loss" is "low"/],
    ['INVALID_ARGUMENT', (t: RunTracking) => t.log({ '': 1 }, 0), /empty name/],
    ['INVALID_ARGUMENT', (t: RunTracking) => t.artifact({ name: '', type: 't', folder: '.', files: [] }), /artifact/],
    ['RUN_FINISHED', (t: RunTracking) => (void t.finish('finished'), t.log({ loss: 1 }, 1)), /a log came after/],
  ])('refuses with %s %#', (code, act, message) => {
    const tracking = new RunTracking({ store: memoryStore(), run: { name: 'r' } });
    expect(() => act(tracking)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  });

  it('refuses a run without a name, or with an id that could be a path', () => {
    expect(() => new RunTracking({ store: memoryStore(), run: { name: '' } })).toThrow(/name of the run is ""/);
    expect(() => new RunTracking({ store: memoryStore(), run: { name: 'r', id: '../x' } })).toThrow(/id is "..\/x"/);
  });
});

describe('parseRunEvent', () => {
  it.each([
    '',
    '{',
    '[1]',
    '{"event":"log"}',
    `{"event":"toString","time":"${time}"}`,
    `{"event":"log","time":"${time}","step":1,"metrics":{"loss":"low"}}`,
    `{"event":"log","time":"${time}","step":-1,"metrics":{}}`,
    `{"event":"artifact","time":"${time}","name":"a","type":"t","folder":"","files":[{"path":"../x","size":1,"md5":"x"}]}`,
    `{"event":"histogram","time":"${time}","step":1,"name":"w","edges":[0],"counts":[1]}`,
  ])('takes no %s', (line) => {
    expect(parseRunEvent(line)).toBeUndefined();
  });
});

describe('trackingCallback', () => {
  it('logs each row under its names, and the gap between the losses', () => {
    const logged: unknown[] = [];
    const callback = trackingCallback({ log: (metrics, step) => void logged.push([metrics, step]) });
    callback.onLog({
      state: { globalStep: 10 },
      logs: { loss: 2, learning_rate: 1e-4, grad_norm: 1, skipped_steps: 0, epoch: 0.5, step: 10 },
    });
    callback.onLog({
      state: { globalStep: 10 },
      logs: { eval_loss: 2.5, eval_accuracy: 0.5, eval_f1: 0.4, epoch: 0.5, step: 10 },
    });
    callback.onLog({ state: { globalStep: 20 }, logs: { epoch_time_sec: 3, tokens_per_sec_est: 10 } });
    expect(logged).toEqual([
      [{ loss: 2, learning_rate: 1e-4, grad_norm: 1, skipped_steps: 0, epoch: 0.5 }, 10],
      [{ eval_loss: 2.5, eval_accuracy: 0.5, eval_f1: 0.4, epoch: 0.5, loss_gap: 0.5 }, 10],
      [{ epoch_time_sec: 3, tokens_per_sec_est: 10 }, 20],
    ]);
  });
});
