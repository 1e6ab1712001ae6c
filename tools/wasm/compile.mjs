// Compiles the AssemblyScript kernels of packages/kernels into one WebAssembly module that owns no memory.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const sources = join(root, 'packages', 'kernels', 'assembly');
export const generatedFile = join(root, 'packages', 'kernels', 'src', 'wasm', 'module.generated.ts');

/** The module's bytes and, with `text`, its disassembly. Throws with the compiler's own words where a source is wrong. */
export async function compileKernels({ text = false } = {}) {
  const files = new Map();
  for (const name of await readdir(sources)) {
    if (name.endsWith('.ts')) files.set(name, await readFile(join(sources, name), 'utf8'));
  }
  const written = new Map();
  const { error, stderr } = await asc.main(
    [
      ...['index.ts', '--outFile', 'kernels.wasm', ...(text ? ['--textFile', 'kernels.wat'] : [])],
      ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--enable', 'simd'],
      // The module lives in the memory of tfjs' backend: it brings none, exports none and places nothing in it.
      ...['--importMemory', '--noExportMemory', '--initialMemory', '0'],
    ],
    {
      readFile: (name) => files.get(name) ?? null,
      writeFile: (name, contents) => void written.set(name, contents),
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(`the kernels do not compile: ${error.message}\n${stderr.toString()}`);
  return { bytes: written.get('kernels.wasm'), text: written.get('kernels.wat') };
}

/** The TypeScript file that carries the module's bytes. */
export function generatedSource(bytes) {
  const lines = Buffer.from(bytes)
    .toString('base64')
    .match(/.{1,116}/g);
  return `// Written by \`node tools/wasm/build.mjs\` from packages/kernels/assembly. Not edited by hand.
/** The WebAssembly kernels, ${bytes.length} bytes, in base64. */
export const wasmKernelsBase64 =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`;
}
