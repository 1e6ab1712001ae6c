#!/usr/bin/env node
// Runs one of the verifications against real counterparts: tools/verify/NAME.ts or NAME.mjs. They take minutes to hours,
// install what they need, fail rather than skip, and write docs/verify/NAME.json, which the documents quote.
// usage: npm run verify -- NAME [ARG ...]
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const files = readdirSync(folder).filter((file) => /\.(ts|mjs)$/.test(file) && file !== 'run.mjs');
const [name, ...args] = process.argv.slice(2);
const file = files.find((candidate) => candidate.replace(/\.\w+$/, '') === name);
if (file === undefined) {
  console.log('usage: npm run verify -- NAME [ARG ...]\n');
  for (const each of files.sort()) {
    const [what] = readFileSync(join(folder, each), 'utf8')
      .replace(/^#!.*\n/, '')
      .split('\n');
    console.log(`  ${each.replace(/\.\w+$/, '').padEnd(12)} ${what.replace(/^\/\/ /, '')}`);
  }
  process.exit(name === undefined || name === '--help' ? 0 : 2);
}
const { status, signal } = spawnSync(
  process.execPath,
  ['--conditions=@qlora-js/source', '--import', 'tsx', join(folder, file), ...args],
  { stdio: 'inherit', cwd: join(folder, '..', '..') },
);
if (signal !== null) console.error(`${name} was ended by ${signal}`);
process.exit(status ?? 1);
