import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maskedCrc32c } from '../tfevents/crc32c';
import { AppendFile } from './append-file';
import { groupedTag, JsonlTracker, readJsonlEvents, TensorBoardTracker } from './index';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tracking-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const now = (): number => Date.UTC(2024, 0, 2, 3, 4, 5, 678);
const time = '2024-01-02T03:04:05.678Z';

describe('JsonlTracker', () => {
  it('appends one object a line, numbers that JSON lacks as strings', async () => {
    const path = join(folder, 'deep', 'run.jsonl');
    const tracker = new JsonlTracker({ path, now });
    tracker.start({ runName: 'nf4 "a"\n', config: { learning_rate: 5e-4, hub_token: 'x' }, tags: ['é'] });
    tracker.log({ loss: 1.25, grad_norm: NaN, scale: -Infinity }, 10);
    tracker.summary({ best: Infinity, device: 'wasm', resumed: false });
    await tracker.finish('finished');
    expect((await readFile(path, 'utf8')).split('\n')).toEqual([
      `{"event":"start","time":"${time}","run_name":"nf4 \\"a\\"\\n","config":{"learning_rate":0.0005,"hub_token":"[redacted]"},"tags":["é"]}`,
      `{"event":"log","time":"${time}","step":10,"metrics":{"loss":1.25,"grad_norm":"NaN","scale":"-Infinity"}}`,
      `{"event":"summary","time":"${time}","values":{"best":"Infinity","device":"wasm","resumed":false}}`,
      `{"event":"finish","time":"${time}","status":"finished"}`,
      '',
    ]);
    expect(await readJsonlEvents(path)).toEqual({
      unreadable: [],
      events: [
        {
          event: 'start',
          time,
          runName: 'nf4 "a"\n',
          config: { learning_rate: 5e-4, hub_token: '[redacted]' },
          tags: ['é'],
        },
        { event: 'log', time, step: 10, metrics: { loss: 1.25, grad_norm: NaN, scale: -Infinity } },
        { event: 'summary', time, values: { best: 'Infinity', device: 'wasm', resumed: false } },
        { event: 'finish', time, status: 'finished' },
      ],
    });
  });

  it('has every line in the file before the call returns', async () => {
    const path = join(folder, 'live.jsonl');
    const tracker = new JsonlTracker({ path, now });
    tracker.start({ runName: 'r' });
    tracker.log({ loss: 1 }, 1);
    expect((await readJsonlEvents(path)).events.map(({ event }) => event)).toEqual(['start', 'log']);
    await tracker.finish('failed');
  });

  it('starts a new line after a run that was cut off, and says which lines are not events', async () => {
    const path = join(folder, 'torn.jsonl');
    await writeFile(path, `{"event":"log","time":"${time}","step":1,"metrics":{"loss":2}}\n{"event":"log","ti`);
    const tracker = new JsonlTracker({ path, now });
    tracker.start({ runName: 'again' });
    await tracker.finish('finished');
    await appendFile(path, `[1]\n{"event":"log","time":"${time}","step":2,"metrics":{"loss":"low"}}\n`);
    const { events, unreadable } = await readJsonlEvents(path);
    expect(events.map(({ event }) => event)).toEqual(['log', 'start', 'finish']);
    expect(unreadable).toEqual([2, 5, 6]);
  });

  it('names a file that cannot be read or written', async () => {
    await expect(readJsonlEvents(join(folder, 'none.jsonl'))).rejects.toMatchObject({ code: 'READ_FAILED' });
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const tracker = new JsonlTracker({ path: join(file, 'x.jsonl') });
    expect(() => tracker.start({ runName: 'r' })).toThrow(expect.objectContaining({ code: 'WRITE_FAILED' }));
    expect(() => tracker.log({ loss: 1 }, 1)).toThrow(expect.objectContaining({ code: 'NOT_STARTED' }));
    expect(() => new JsonlTracker({ path: '' })).toThrow(/empty/);
  });
});

describe.skipIf(!existsSync('/dev/full'))('a full disk', () => {
  it('fails the start with the reason, and the tracker can start again', () => {
    const tracker = new JsonlTracker({ path: '/dev/full' });
    const start = () => tracker.start({ runName: 'r' });
    expect(start).toThrow(/\/dev\/full could not be written: ENOSPC/);
    expect(start).toThrow(expect.objectContaining({ code: 'WRITE_FAILED' }));
  });
});

describe('AppendFile', () => {
  it('refuses an existing file where it must be new', async () => {
    const path = join(folder, 'there');
    await writeFile(path, 'x');
    expect(() => AppendFile.open(path, { exclusive: true })).toThrow(/could not be opened: EEXIST/);
    expect(await readFile(path, 'utf8')).toBe('x');
  });
});

/** Records of an event file, their checksums checked. */
function records(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(maskedCrc32c(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

describe('TensorBoardTracker', () => {
  it('writes an event file that begins with the version and holds scalars and texts', async () => {
    const tracker = new TensorBoardTracker({ logDir: join(folder, 'tb'), now });
    tracker.start({ runName: '../study/trial 3', config: { r: 16, api_key: 'x' }, tags: ['nf4'] });
    tracker.log({ loss: 1.5, eval_f1: 0.5, note_test_x: 1 }, 300);
    tracker.log({}, 400);
    tracker.summary({ best: 0.25, device: 'wasm' });
    await tracker.finish('finished');
    const run = join(folder, 'tb', '_', 'study', 'trial_3');
    const [name, ...others] = await readdir(run);
    expect(others).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.1704164645\.[^/]+\.\d+\.\d+$/);
    const found = records(await readFile(join(run, name!)));
    const texts = found.map((data) => data.toString('latin1'));
    expect(texts[0]).toContain('brain.Event:2');
    expect(texts[1]).toContain('"api_key": "[redacted]"');
    expect(texts[2]).toContain('"nf4"');
    expect(['train/loss', 'eval/f1', 'train/note_test_x'].every((tag) => texts[3]!.includes(tag))).toBe(true);
    // The step follows the wall time: key 0x10, then 300 as a varint.
    expect([...found[3]!.subarray(9, 12)]).toEqual([0x10, 0xac, 0x02]);
    expect(texts[4]).toContain('summary/best');
    expect(texts[5]).toContain('"device": "wasm"');
    expect(texts[6]).toContain('"finished"');
    expect(found).toHaveLength(7);
  });

  it('gives each run a file of its own, also of one name in one second', async () => {
    const tracker = new TensorBoardTracker({ logDir: join(folder, 'twice'), now, tagOf: (metric) => metric });
    for (const status of ['failed', 'finished'] as const) {
      tracker.start({ runName: 'r' });
      tracker.log({ eval_loss: 1 }, 0);
      await tracker.finish(status);
    }
    const files = await readdir(join(folder, 'twice', 'r'));
    expect(files).toHaveLength(2);
    expect((await readFile(join(folder, 'twice', 'r', files[0]!))).includes('eval_loss')).toBe(true);
  });

  it('refuses misuse', async () => {
    const tracker = new TensorBoardTracker({ logDir: join(folder, 'misuse') });
    expect(() => tracker.log({ loss: 1 }, 1)).toThrow(expect.objectContaining({ code: 'NOT_STARTED' }));
    tracker.start({ runName: '' });
    expect(() => tracker.start({ runName: 'b' })).toThrow(expect.objectContaining({ code: 'ALREADY_STARTED' }));
    await tracker.finish('finished');
    await expect(tracker.finish('finished')).rejects.toMatchObject({ code: 'NOT_STARTED' });
    expect(await readdir(join(folder, 'misuse'))).toEqual(['_']);
    expect(() => new TensorBoardTracker({ logDir: '' })).toThrow(/logDir is empty/);
  });
});

describe('groupedTag', () => {
  it.each([
    ['eval_loss', 'eval/loss'],
    ['test_f1', 'test/f1'],
    ['learning_rate', 'train/learning_rate'],
    ['evaluation', 'train/evaluation'],
    ['eval_', 'train/eval_'],
  ])('%s is %s', (metric, tag) => {
    expect(groupedTag(metric)).toBe(tag);
  });
});
