import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';

const HERE = dirname(fileURLToPath(import.meta.url));
const PAGE = join(HERE, '../../../docs/research.md');

/** What the file of that name in docs/research.md prints. */
async function printedBy(name: string): Promise<string[]> {
  const blocks = [...(await readFile(PAGE, 'utf8')).matchAll(/```js\n(\/\/ (\S+\.js)[\s\S]*?)```/g)];
  const text = blocks.find(([, , file]) => file === name)?.[1];
  if (text === undefined) throw new Error(`docs/research.md has no ${name}`);
  // Inside the package, so that its own name and its dependencies resolve as they would for a user.
  const folder = await mkdtemp(join(HERE, '.readme-'));
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await writeFile(join(folder, name), text);
    await import(/* @vite-ignore */ pathToFileURL(join(folder, name)).href);
    return log.mock.calls.map((words) => words.join(' '));
  } finally {
    log.mockRestore();
    await rm(folder, { recursive: true, force: true });
  }
}

it.each([
  ['own-loop.js', 'own loop: loss fell true'],
  ['own-module.js', 'own module: 4 trained matrices, loss fell true'],
  ['own-loss.js', 'own loss: fell true, accuracy 1'],
])('docs/research.md: %s runs as it stands there', async (name, line) => {
  expect(await printedBy(name)).toEqual([line]);
});
