import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openRun, type OutputSettings } from './open-run';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-run-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function checkpointsOfTrial(output: Omit<OutputSettings, 'folder'>): Promise<readonly string[]> {
  const { run, device, records, closeStorage } = await openRun(
    { backend: 'cpu', search: { trials: 1 }, output: { folder: join(folder, 'out'), ...output } },
    () => Promise.resolve(undefined),
  );
  await closeStorage();
  await records.close();
  device.dispose();
  return run.checkpoints!('trial-0').list();
}

it('keeps the checkpoints of each study apart in a folder that several share', async () => {
  const shared = join(folder, 'shared');
  await mkdir(join(shared, 'reviews', 'trial-0', 'checkpoint-2'), { recursive: true });
  await mkdir(join(shared, '%2E.%2Fa', 'trial-0', 'checkpoint-3'), { recursive: true });
  const found = (study: string) => checkpointsOfTrial({ checkpoints: shared, study, resume: true });
  expect(await found('reviews')).toEqual(['checkpoint-2']);
  expect(await found('../a')).toEqual(['checkpoint-3']);
  expect(await found('intents')).toEqual([]);
});

it('finds the checkpoints of its trials when it resumes, and none when it overwrites', async () => {
  const out = join(folder, 'out', 'checkpoints');
  for (const name of ['trial-0', 'default']) await mkdir(join(out, name, 'checkpoint-2'), { recursive: true });
  expect(await checkpointsOfTrial({ resume: true })).toEqual(['checkpoint-2']);
  expect(await checkpointsOfTrial({ overwrite: true })).toEqual([]);
  expect(await readdir(out)).toEqual(['default']);
});
