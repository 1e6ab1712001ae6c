#!/usr/bin/env node
// Compiles packages/kernels/assembly and writes the module where packages/kernels reads it.
// usage: node tools/wasm/build.mjs [--check] [--text FILE]
//   --check      writes nothing; fails where the committed module is not what the sources compile to
//   --text FILE  writes the module's disassembly there as well
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { compileKernels, generatedFile, generatedSource } from './compile.mjs';

const { values } = parseArgs({ options: { check: { type: 'boolean' }, text: { type: 'string' } } });
const { bytes, text } = await compileKernels({ text: values.text !== undefined });
if (values.text !== undefined) await writeFile(values.text, text);
const source = generatedSource(bytes);
if (values.check) {
  const committed = await readFile(generatedFile, 'utf8').catch(() => '');
  if (committed !== source) {
    console.error(`${generatedFile} is not what the sources compile to: run node tools/wasm/build.mjs`);
    process.exit(1);
  }
} else {
  await writeFile(generatedFile, source);
  console.log(`${generatedFile}: ${bytes.length} bytes of WebAssembly`);
}
