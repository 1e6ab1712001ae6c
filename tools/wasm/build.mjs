#!/usr/bin/env node
// Compiles packages/kernels/assembly and writes the modules where packages/kernels reads them.
// usage: node tools/wasm/build.mjs [--check] [--text FOLDER]
//   --check        writes nothing; fails where the committed modules are not what the sources compile to
//   --text FOLDER  writes the modules' disassembly there as well
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileKernels, generatedFile, generatedSource } from './compile.mjs';

const { values } = parseArgs({ options: { check: { type: 'boolean' }, text: { type: 'string' } } });
const compiled = await compileKernels();
if (values.text !== undefined) {
  for (const [name, { text }] of Object.entries(compiled)) await writeFile(join(values.text, `${name}.wat`), text);
}
const source = generatedSource(compiled);
if (values.check) {
  const committed = await readFile(generatedFile, 'utf8').catch(() => '');
  if (committed !== source) {
    console.error(`${generatedFile} is not what the sources compile to: run node tools/wasm/build.mjs`);
    process.exit(1);
  }
} else {
  await writeFile(generatedFile, source);
  for (const [name, { bytes }] of Object.entries(compiled)) console.log(`${name}: ${bytes.length} bytes`);
}
