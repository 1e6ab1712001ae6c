import { mkdtemp, readdir, readFile, rm, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maskedCrc32c } from '../../tfevents/crc32c';
import { groupedTag, TensorBoardTracker, trackRun } from '../index';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tensorboard-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

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

async function eventFile(): Promise<string> {
  const run = join(folder, 'tensorboard', '_', 'study', 'trial_3');
  const [name, ...others] = await readdir(run);
  expect(others).toEqual([]);
  expect(name).toMatch(/^events\.out\.tfevents\.\d+\.[^/]+\.\d+\.\d+$/);
  return join(run, name!);
}

const run = { name: '../study/trial 3', config: { r: 16, api_key: 'x', quantization: { type: 'nf4' } }, tags: ['nf4'] };

describe('TensorBoardTracker', () => {
  it('writes an event file that begins with the version and holds hparams, texts, scalars and histograms', async () => {
    const tracking = await trackRun({ folder, run, reportTo: ['tensorboard'], env: {} });
    tracking.log({ loss: 1.5, eval_f1: 0.5, note_test_x: 1 }, 300);
    tracking.log({}, 400);
    tracking.histogram('lora_A', [1, 2], 300);
    tracking.summary({ test_f1: 0.25, device: 'wasm' });
    expect(await tracking.finish('finished')).toMatchObject([{ tracker: 'tensorboard', complete: true, failures: 0 }]);
    const found = records(await readFile(await eventFile()));
    const texts = found.map((data) => data.toString('latin1'));
    const expected = [
      ['brain.Event:2'],
      ['_hparams_/experiment', 'quantization.type', 'eval/f1', 'test/f1', 'train/loss'],
      ['_hparams_/session_start_info', 'quantization.type', 'nf4'],
      ['"api_key": "[redacted]"'],
      ['"nf4"'],
      ['train/loss', 'eval/f1', 'train/note_test_x'],
      ['lora_A', 'histograms'],
      ['test/f1'],
      ['"device": "wasm"'],
      ['_hparams_/session_end_info'],
      ['"finished"'],
    ];
    expect(texts).toHaveLength(expected.length);
    expected.forEach((words, i) => words.forEach((word) => expect(texts[i]).toContain(word)));
    // The step follows the wall time: key 0x10, then 300 as a varint.
    expect([...found[5]!.subarray(9, 12)]).toEqual([0x10, 0xac, 0x02]);
  });

  it('goes on in the same file, behind what a delivery that did not end has left there', async () => {
    const first = await trackRun({ folder, run, reportTo: ['tensorboard'], env: {} });
    first.log({ loss: 1 }, 1);
    await first.finish('interrupted');
    const file = await eventFile();
    const before = await readFile(file);
    await appendFile(file, 'half a record');
    const second = await trackRun({ folder, run, reportTo: ['tensorboard'], env: {} });
    second.log({ loss: 2 }, 2);
    await second.finish('finished');
    const after = await readFile(await eventFile());
    expect(after.subarray(0, before.length)).toEqual(before);
    expect(records(after).filter((data) => data.toString('latin1').includes('train/loss'))).toHaveLength(4);
  });

  it('refuses no folder', () => {
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
