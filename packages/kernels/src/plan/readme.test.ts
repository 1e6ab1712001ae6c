import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { describeWebgpu } from '../testing/webgpu';

describeWebgpu('the README', () => {
  it('has an example of the step plan that runs', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
    const section = readme.slice(readme.indexOf('## The step plan'));
    const folder = await mkdtemp(join(import.meta.dirname, '.readme-'));
    const printed: unknown[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(line));
    try {
      const file = join(folder, 'example.ts');
      await writeFile(file, /```ts\n([\s\S]*?)```/.exec(section)![1]!);
      await import(/* @vite-ignore */ pathToFileURL(file).href);
    } finally {
      log.mockRestore();
      await rm(folder, { recursive: true, force: true });
    }
    // The loss is AdamW's in float64, worked out apart.
    expect(printed).toEqual(['7 dispatches, 64 bytes of intermediates', 'loss 0.404', 'weights 16 bytes']);
  });
});
