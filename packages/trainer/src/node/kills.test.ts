import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '@qlora-js/data';
import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Killable } from '../testing/killable';
import { TINY_ARGUMENTS, tinyRun, type TinyResult } from '../testing/runs';
import { folderCheckpoints } from './folder-checkpoints';

const CHILD = fileURLToPath(new URL('../testing/killable.ts', import.meta.url));
/** With rotation, so that there is something to remove at each save. */
const ARGS = { ...TINY_ARGUMENTS, saveTotalLimit: 1 };
/**
 * Steps that a killed run may have to do again: a checkpoint that was still being written counts for nothing, and training
 * goes on until the next one is due.
 */
const MOST_AGAIN = 2 * 2;

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

/** Runs the training in a process of its own, which takes the options of this one over. */
async function child(told: Omit<Killable, 'args' | 'backend' | 'threads'>): Promise<Ended> {
  const all: Killable = { backend: 'wasm', threads: 1, args: ARGS, ...told };
  const process_ = spawn(process.execPath, [...process.execArgv, CHILD, JSON.stringify(all)], { stdio: 'pipe' });
  let output = '';
  for (const stream of [process_.stdout, process_.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return new Promise((resolve) => process_.on('close', (code, signal) => resolve({ code, signal, output })));
}

let folder: string;
let device: Device;
let whole: TinyResult;
beforeAll(async () => {
  device = await openDevice({ backend: 'wasm' });
  whole = await tinyRun({ args: ARGS });
});
afterAll(() => device.dispose());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qlora-kills-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Goes on with the run in this process. */
async function resumed(): Promise<TinyResult> {
  const before = await readFile(join(folder, 'steps.txt'), 'utf8').catch(() => '');
  const reached = before.trim().split('\n').filter(Boolean).length;
  const again: number[] = [];
  const result = await tinyRun({
    args: { ...ARGS, outputDir: folder },
    checkpoints: folderCheckpoints(folder),
    train: { resumeFromCheckpoint: true },
    callbacks: [{ onStepEnd: ({ state }) => void (state.globalStep <= reached && again.push(state.globalStep)) }],
  });
  expect(again.length).toBeLessThanOrEqual(MOST_AGAIN);
  return result;
}

/** Every kind of moment at which a run can be killed. */
const MOMENTS = [
  ['a step', ['step end']],
  ['an evaluation', ['evaluation batch']],
  [
    'a file that is being written',
    ['adapter_model.safetensors half', 'training_state.safetensors half', 'checkpoint.json half'],
  ],
  ['a checkpoint that is all but renamed', ['staged', 'adapter_config.json', 'synced']],
  ['a checkpoint that has its name', ['in place']],
  ['a removal', ['renamed', 'removed']],
] as const;

describe('a run killed in', () => {
  it.each(MOMENTS.map(([name, moments], seed) => ({ name, moments, seed })))(
    '$name comes to the adapter and the log of one that was not',
    async ({ moments, seed }) => {
      const random = new SeededRandom([seed, 14]);
      const killAt = { moment: random.pick(moments), occurrence: 1 + random.below(2) };
      const { signal, output } = await child({ folder, killAt });
      expect(signal, output).toBe('SIGKILL');
      const result = await resumed();
      expect(result.bits, JSON.stringify(killAt)).toBe(whole.bits);
      expect(result.log).toEqual(whole.log);
      const left = (await readdir(folder)).filter((name) => name !== 'steps.txt');
      expect(
        left.every((name) => /^checkpoint-\d+$/.test(name)),
        left.join(),
      ).toBe(true);
    },
  );
});

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: finishes the step, saves, says how to go on, and ends with %d', async (signal, code) => {
    const ended = await child({ folder, signal, killAt: { moment: 'step end', occurrence: 3 } });
    expect(ended).toMatchObject({ code, signal: null });
    expect(ended.output).toContain(`${signal}: finishing the step and saving; once more ends at once`);
    // The system delivers a signal when it gets to it: in the turn after step 3, or a step later.
    const [, step, name] =
      /stopped after step (\d); .*(checkpoint-\d) holds all of it: go on with resumeFromCheckpoint/.exec(
        ended.output,
      ) ?? [];
    expect(['3', '4']).toContain(step);
    expect(name).toBe(`checkpoint-${step}`);
    expect(await readdir(folder)).toContain(name);
    expect((await resumed()).bits).toBe(whole.bits);
  });
});
