// Compiles the AssemblyScript kernels of packages/kernels into WebAssembly modules that own no memory.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const sources = join(root, 'packages', 'kernels', 'assembly');
export const generatedFile = join(root, 'packages', 'kernels', 'src', 'wasm', 'module.generated.ts');

/** Names in the generated file, what they hold, and what the compiler is told beside the flags common to all. */
const modules = [
  { name: 'wasmKernels', says: 'All kernels, for SIMD128', args: ['index.ts'] },
  {
    name: 'wasmRelaxedProducts',
    says: 'The kernels made of register tiles, for relaxed SIMD',
    args: ['products.ts', '--enable', 'relaxed-simd'],
  },
];

/** The modules by name: bytes and disassembly. Throws with the compiler's own words where a source is wrong. */
export async function compileKernels() {
  const files = new Map();
  for (const name of await readdir(sources)) {
    if (name.endsWith('.ts')) files.set(name, await readFile(join(sources, name), 'utf8'));
  }
  const compiled = {};
  for (const { name, args } of modules) {
    const written = new Map();
    const { error, stderr } = await asc.main(
      [
        ...[...args, '--outFile', 'kernels.wasm', '--textFile', 'kernels.wat'],
        ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--enable', 'simd'],
        // A module lives in the memory of tfjs' backend: it brings none, exports none and places nothing in it.
        ...['--importMemory', '--noExportMemory', '--initialMemory', '0'],
      ],
      {
        readFile: (file) => files.get(file) ?? null,
        writeFile: (file, contents) => void written.set(file, contents),
        listFiles: () => [],
      },
    );
    if (error !== null) throw new Error(`the kernels do not compile: ${error.message}\n${stderr.toString()}`);
    compiled[name] = { bytes: written.get('kernels.wasm'), text: written.get('kernels.wat') };
  }
  return compiled;
}

/** The TypeScript file that carries the modules' bytes. */
export function generatedSource(compiled) {
  const constants = modules.map(({ name, says }) => {
    const { bytes } = compiled[name];
    const lines = Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,116}/g);
    return `/** ${says}: ${bytes.length} bytes of WebAssembly in base64. */
export const ${name}Base64 =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`;
  });
  return `// Written by \`node tools/wasm/build.mjs\` from packages/kernels/assembly. Not edited by hand.\n\n${constants.join('\n')}`;
}
