import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output } from '@qlora-js/finetune';
import { openStorage } from '@qlora-js/finetune/node';
import { createStudy, createTrial, floatDistribution, loadStudy, TrialPruned } from '@qlora-js/hpo';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { plotTrials } from '../study/plot';
import { study } from './study';

let folder: string;
let lines: string[];
let output: Output;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-study-'));
  lines = [];
  output = {
    section: () => undefined,
    line: (text = '') => void lines.push(text),
    warn: (text) => void lines.push(`warning: ${text}`),
    bar: () => ({ update: () => undefined, stop: () => undefined }),
    note: () => undefined,
  };
});
afterEach(() => rm(folder, { recursive: true }));

const run = (words: string[], storage: string, more: object = {}) =>
  study(words, { storage, toStorage: undefined, quiet: false, json: false, ...more }, output);

async function makeStudy(word: string, name: string): Promise<void> {
  const { storage, close } = await openStorage(word);
  const made = await createStudy({ studyName: name, storage, direction: 'maximize' });
  await made.setMetricNames(['f1']);
  const distributions = { learning_rate: floatDistribution({ low: 1e-5, high: 1, log: true }) };
  for (const [rate, value] of [
    [1e-4, 0.5],
    [1e-2, 0.75],
    [1e-1, 0.6],
  ] as const) {
    await made.addTrial(createTrial({ params: { learning_rate: rate }, distributions, value }));
  }
  await made.addTrial(createTrial({ state: 'FAIL' }));
  await made.optimize(
    (trial) => {
      trial.report(0.1, 8);
      throw new TrialPruned();
    },
    { nTrials: 1 },
  );
  await made.enqueueTrial({ learning_rate: 1e-3 });
  await close();
}

it.each([
  ['a journal', (name: string) => name],
  ['SQLite', (name: string) => `sqlite:///${name}.db`],
])('shows a study on %s: its trials, the best and a plot', async (_name, word) => {
  const storage = word(join(folder, 'study'));
  await makeStudy(storage, 'a');
  await run(['show'], storage);
  const text = lines.join('\n');
  expect(lines[0]).toBe('a: maximize f1, 1 waiting, 3 complete, 1 pruned, 1 failed');
  expect(text).toMatch(/^trial +state +f1 +learning_rate +seconds$/m);
  expect(text).toMatch(/^ +\*1 +complete +0\.7500 +0\.0100 +0\.0$/m);
  expect(text).toMatch(/^ +4 +pruned +0\.1000/m);
  expect(text).toContain('best: f1 0.7500 in trial 1 with learning_rate 0.0100');
  expect(text).toContain('f1 by trial: o a trial, - the best so far');
});

it('shows importances once trials tell some apart, as reports do', async () => {
  const word = join(folder, 'study');
  await makeStudy(word, 'a');
  const json = async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await run(['show'], word, { json: true });
    const [[text]] = log.mock.calls as [[string]];
    log.mockRestore();
    return (JSON.parse(text) as { importances: object }).importances;
  };
  await run(['show'], word);
  expect(lines.join('\n')).not.toContain('importances');
  expect(await json()).toEqual({});
  const { storage, close } = await openStorage(word);
  const made = await loadStudy({ studyName: 'a', storage });
  const { distributions } = made.trials[0]!;
  for (let i = 1; i <= 8; i++)
    await made.addTrial(createTrial({ params: { learning_rate: i / 10 }, distributions, value: 1 - i / 10 }));
  await close();
  await run(['show'], word);
  expect(lines.join('\n')).toMatch(/^importances \(PED-ANOVA.*\nlearning_rate {2}1\.00 {2}#{30}$/m);
  expect(await json()).toEqual({ learning_rate: 1 });
});

it('lists, copies and deletes studies, from one kind of storage to another', async () => {
  const [journal, database] = [join(folder, 'study.jsonl'), `sqlite:///${join(folder, 'studies.db')}`];
  await makeStudy(journal, 'a');
  await run(['copy', 'a', 'b'], journal);
  await run(['copy', 'a'], journal, { toStorage: database });
  expect(lines).toEqual([`copied: a as b in ${journal}`, `copied: a as a in ${database}`]);
  await run(['delete', 'a'], journal);
  lines = [];
  await run(['list'], journal);
  await run(['list'], database);
  expect(lines[0]).toMatch(/^study {2}direction {2}trials {2}best {4}started \(UTC\)$/);
  expect(lines[1]).toMatch(/^b {6}maximize +6 {2}0\.7500 {2}\d{4}-/);
  expect(lines[3]).toMatch(/^a {6}maximize +6 {2}0\.7500/);
  await expect(run(['show', 'a'], journal)).rejects.toThrow(/no study named "a". Its studies are \["b"\]/);
});

it('refuses what it does not know, and makes no storage by looking for one', async () => {
  await expect(run(['shwo'], join(folder, 'x'))).rejects.toThrow(/say show, list, delete, copy/);
  await expect(run(['delete'], join(folder, 'x'))).rejects.toThrow(/takes 1 names of studies, not 0/);
  await expect(run(['list'], join(folder, 'none'))).rejects.toThrow(/there is no file/);
  await expect(run(['list'], `sqlite:///${join(folder, 'none.db')}`)).rejects.toThrow(/there is no file/);
  expect(await readdir(folder)).toEqual([]);
});

it('plots values by trial, the best so far as a line', () => {
  const trials = [0.2, 0.9, 0.5, 1].map((value, number) => ({ number, state: 'COMPLETE' as const, value }));
  const size = { width: 20, height: 3 };
  expect(plotTrials(trials, { direction: 'maximize', size })).toEqual([
    '     1 |  o-o',
    '       |   o',
    '0.2000 | o',
    '       +-----',
    '         0  3',
  ]);
  expect(plotTrials([], { direction: 'minimize', size })).toEqual([]);
});
