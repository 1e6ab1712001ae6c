import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TerminalOutput } from '@qlora-js/terminal';
import { trackRun } from '@qlora-js/tracking/node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultsOf } from '../options/spec';
import { report, REPORT_OPTIONS } from './report';
import { sync, SYNC_OPTIONS } from './sync';
import { watch } from './watch';

let folder: string;
let lines: string[];
let output: TerminalOutput;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-runs-'));
  lines = [];
  output = {
    section: () => undefined,
    line: (text = '') => void lines.push(text),
    warn: (text) => void lines.push(`warning: ${text}`),
    bar: () => ({ update: () => undefined, stop: () => undefined }),
    note: () => undefined,
    restore: () => undefined,
  };
});
afterEach(() => rm(folder, { recursive: true }));

async function makeRun(name: string, predicted: readonly number[]): Promise<string> {
  const run = join(folder, name);
  const tracking = await trackRun({ folder: run, run: { name }, env: {} });
  tracking.log({ loss: Number.NaN, eval_f1: 0.5 }, 1);
  const test = { labels: ['a', 'b'], truth: [0, 1, 0, 1], predicted };
  await writeFile(join(run, 'results.json'), JSON.stringify({ test }));
  return run;
}

it('draws the report of a run that was killed with NaN in it, and says so', async () => {
  const run = await makeRun('killed', [0, 1, 0, 0]);
  await report([run], defaultsOf(REPORT_OPTIONS), output);
  expect(lines).toEqual([
    expect.stringMatching(/^warning: No end of this run was written\. It may still be going/),
    expect.stringMatching(/^warning: loss is not a finite number once, first at step 1/),
    `report: ${join(run, 'report.html')}`,
  ]);
  expect(await readdir(run)).toEqual(expect.arrayContaining(['report.html', 'report.json']));
});

it('compares runs on the same rows, with what differs from the first', async () => {
  const runs = [await makeRun('one', [0, 1, 0, 0]), await makeRun('two', [0, 1, 0, 1])];
  const outputDir = join(folder, 'compared');
  await report(runs, { ...defaultsOf(REPORT_OPTIONS), outputDir }, output);
  expect(lines[1]).toMatch(/^two {2}accuracy 1\.0000 .* difference of accuracy 0\.2500 \(0\.0000 to 0\.7500\)$/);
  expect((await readdir(outputDir)).sort()).toEqual(['comparison.html', 'comparison.json']);
});

it('sends what a tracker lacks, and says how each run stands', async () => {
  await makeRun('run', [0, 0, 0, 0]);
  const values = { ...defaultsOf(SYNC_OPTIONS), reportTo: ['tensorboard'] };
  expect(await sync(folder, values, output)).toBe(true);
  expect(lines).toEqual([`${join(folder, 'run')}: tensorboard has everything`]);
  expect(await readdir(join(folder, 'run', 'tensorboard'))).toEqual(['run']);
  await expect(sync(join(folder, 'run', 'tensorboard'), values, output)).rejects.toThrow(/there is no run\.jsonl/);
});

it('watches a folder until a signal, and refuses one that is not there', async () => {
  await makeRun('run', [0, 0, 0, 0]);
  const line = (text = ''): void => {
    lines.push(text);
    process.emit('SIGTERM');
  };
  await watch(folder, { ...output, line });
  expect(lines).toEqual(['run  step 1  loss NaN  eval_f1 0.5000']);
  await expect(watch(join(folder, 'none'), output)).rejects.toMatchObject({ code: 'READ_FAILED' });
});
