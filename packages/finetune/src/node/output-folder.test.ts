import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { prepareOutputFolder, writeAdapter } from './output-folder';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetune-output-'));
});
afterEach(() => rm(folder, { recursive: true }));

const adapter = (weights: string): Record<string, string> => ({
  'adapter_config.json': '{"r":1}',
  'adapter_model.safetensors': weights,
  'README.md': `card of ${weights}`,
});

it('takes an empty folder or makes one, and another only when it is told to', async () => {
  await prepareOutputFolder(join(folder, 'new', 'deep'), {});
  await writeFile(join(folder, 'thesis.tex'), 'years of work');
  await expect(prepareOutputFolder(folder, {})).rejects.toThrow(/holds new, thesis\.tex; choose another folder/);
  await prepareOutputFolder(folder, { overwrite: true });
  await prepareOutputFolder(folder, { resume: true });
  expect(await readFile(join(folder, 'thesis.tex'), 'utf8')).toBe('years of work');
});

it('has no config beside the weights of another adapter at any moment', async () => {
  await writeAdapter(folder, adapter('one'));
  // The new weights can't be written: a folder stands in their way.
  await rm(join(folder, 'adapter_model.safetensors'));
  await writeFile(join(folder, 'kept.txt'), 'kept');
  await mkdir(join(folder, 'adapter_model.safetensors', 'x'), { recursive: true });
  await expect(writeAdapter(folder, adapter('two'))).rejects.toThrow();
  expect(await readdir(folder)).not.toContain('adapter_config.json');
  await rm(join(folder, 'adapter_model.safetensors'), { recursive: true });
  await writeAdapter(folder, adapter('two'));
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('card of two');
  expect((await readdir(folder)).sort()).toEqual([
    'README.md',
    'adapter_config.json',
    'adapter_model.safetensors',
    'kept.txt',
  ]);
});
