import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runReadmeExample, runReadmeSection, runRootReadmeExample } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  const lines = await runReadmeExample(import.meta.url);
  expect([lines[0], lines.at(-1)]).toEqual(['training 6 steps of 8 rows', '6 steps, accuracy 1']);
});

it('runs the section on what a model learns: a language model', async () => {
  expect(await runReadmeSection(import.meta.url, 'What a model learns')).toEqual(['perplexity fell true', ' card']);
});

it('runs the section on threads', async () => {
  const [first, ...others] = await runReadmeSection(import.meta.url, 'Threads without a GPU');
  expect(first).toMatch(/^16 steps on 2 threads, loss 0\.\d+$/);
  expect(others).toEqual([]);
});

it('runs the script on the first screen of the repository, which leaves an adapter', async () => {
  const [folder, before] = [await mkdtemp(join(tmpdir(), 'readme-')), process.cwd()];
  try {
    process.chdir(folder);
    const lines = await runRootReadmeExample(import.meta.url);
    const progress = /^(training 6 steps of 8 rows$|\d+\.\d+ s a step: |step \d\/6 )/;
    expect(lines.filter((line) => !progress.test(line))).toEqual([
      'trainable params: 49,664 || all params: 17,720,576 || trainable%: 0.2803',
    ]);
    expect(lines).toContain('training 6 steps of 8 rows');
    expect((await readdir('adapter')).sort()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
  } finally {
    process.chdir(before);
    await rm(folder, { recursive: true, force: true });
  }
});
