// Compares the packages with their real counterparts, at pinned versions, and writes docs/verify/NAME.json
// and the table of docs/testing.md.
// usage: npm run verify -- [NAME [ARG ...]]      without a name: what there is
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { writeResultsTable } from './results-table';
import type { Verification } from './verification';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');
const folder = join(root, 'tools/verify/names');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

async function load(name: string): Promise<Verification> {
  const module = (await import(pathToFileURL(join(folder, `${name}.ts`)).href)) as { default: Verification };
  return module.default;
}

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  for (const known of names) console.log(`${known.padEnd(12)} ${(await load(known)).summary}`);
} else if (!names.includes(name)) {
  console.error(`There is no verification '${name}', but ${names.join(', ')}.`);
  process.exit(2);
} else {
  process.exit(await verify(name));
}

async function verify(name: string): Promise<number> {
  const { run } = await load(name);
  const cache = join(resolve(root, process.env['QLORA_VERIFY_CACHE'] ?? '.cache/verify'), name);
  mkdirSync(cache, { recursive: true });
  const started = performance.now();
  const { passed, failed, versions, figures } = await run({
    root,
    args,
    cache,
    log: (line) => console.log(line),
  });
  const document = {
    command: ['npm run verify --', name, ...args].join(' '),
    date: new Date().toISOString().slice(0, 10),
    machine: {
      platform: platform(),
      arch: arch(),
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
    versions,
    seconds: Math.round((performance.now() - started) / 1000),
    passed,
    failed,
    figures,
  };
  const results = join(root, 'docs/verify');
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(document, undefined, 2)}\n`);
  writeResultsTable(root);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
