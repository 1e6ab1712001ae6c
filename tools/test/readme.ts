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
  const block = /```ts\n([\s\S]*?)```/.exec(await readmeBeside(source))?.[1];
  if (block === undefined) throw new Error(`no \`\`\`ts block in the README beside ${source}`);
  return runFiles(source, [['example.ts', block]]);
}

/** Runs the first `ts` block of the repository's README as a file of the package that `testUrl` belongs to. */
export async function runRootReadmeExample(testUrl: string): Promise<string[]> {
  const source = dirname(fileURLToPath(testUrl));
  const readme = await readFile(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const block = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (block === undefined) throw new Error("no ```ts block in the repository's README");
  return runFiles(source, [['example.ts', block]]);
}

/**
 * Runs the files that a section of that README is made of: its `js` blocks, each of which begins with a comment that
 * names it (`// main.js`). The last one is run; the others lie beside it.
 */
export async function runReadmeSection(testUrl: string, heading: string): Promise<string[]> {
  const source = dirname(fileURLToPath(testUrl));
  const section = (await readmeBeside(source)).split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  const blocks = [...(section ?? '').matchAll(/```js\n(\/\/ (\S+\.js)[\s\S]*?)```/g)];
  if (blocks.length === 0) throw new Error(`no named \`\`\`js block under '${heading}' in the README beside ${source}`);
  return runFiles(
    source,
    blocks.map(([, text, name]) => [name!, text!]),
  );
}

function readmeBeside(source: string): Promise<string> {
  return readFile(join(source, '..', 'README.md'), 'utf8');
}

/** Runs the last of some files; what it has printed. */
async function runFiles(source: string, files: readonly (readonly [name: string, text: string])[]): Promise<string[]> {
  // Inside the package, so that its own name and its dependencies resolve as they would for a user.
  const folder = await mkdtemp(join(source, '.readme-'));
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
    printed.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '));
  });
  try {
    for (const [name, text] of files) await writeFile(join(folder, name), text);
    await import(/* @vite-ignore */ pathToFileURL(join(folder, files.at(-1)![0])).href);
  } finally {
    log.mockRestore();
    await rm(folder, { recursive: true, force: true });
  }
  return printed;
}
