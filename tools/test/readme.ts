import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { vi } from 'vitest';

/**
 * Runs the first `ts` block of the README of the package that `testUrl` (a file in its src/) belongs to, and returns
 * the lines it printed with console.log. An example that throws fails the test that called this.
 */
export async function runReadmeExample(testUrl: string): Promise<string[]> {
  const source = dirname(fileURLToPath(testUrl));
  const readme = await readFile(join(source, '..', 'README.md'), 'utf8');
  const block = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (block === undefined) throw new Error(`no \`\`\`ts block in the README beside ${source}`);
  // Inside the package, so that its own name and its dependencies resolve as they would for a user.
  const folder = await mkdtemp(join(source, '.readme-'));
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
    printed.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '));
  });
  try {
    const file = join(folder, 'example.ts');
    await writeFile(file, block);
    await import(/* @vite-ignore */ pathToFileURL(file).href);
  } finally {
    log.mockRestore();
    await rm(folder, { recursive: true, force: true });
  }
  return printed;
}
