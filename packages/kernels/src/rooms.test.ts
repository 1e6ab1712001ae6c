import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ESLint } from 'eslint';
import { expect, it } from 'vitest';
import tseslint from 'typescript-eslint';
import { kernelRooms } from '../../../tools/lint/kernel-rooms.mjs';

const eslint = new ESLint({
  cwd: join(import.meta.dirname, '../../..'),
  overrideConfigFile: true,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }, ...kernelRooms],
});

/** What the lint says of an import planted in a file. */
async function planted(file: string, specifier: string): Promise<string[]> {
  const [result] = await eslint.lintText(`import { planted } from '${specifier}';\nplanted();\n`, {
    filePath: `packages/kernels/src/${file}`,
  });
  return result!.messages.map(({ message }) => message);
}

it.each([
  ['webgpu/dispatch.ts', '../ops/gemm', 'webgpu/ lies below this room'],
  ['webgpu/layout.ts', '../wasm/attach', 'webgpu/ lies below this room'],
  ['tfjs/in-place.ts', '../engine/op', 'tfjs/ lies below this room'],
  ['products/variants.ts', '../ops/matmul4bit/types', 'products/ lies below this room'],
  ['ops/gemm/webgpu.ts', '../../testing', 'ops/ lies below this room'],
  ['ops/gemm/webgpu.ts', '../dropout/wasm', 'an op takes another op from its index.ts'],
  ['ops/gemm/reference.ts', '../dropout/types', 'an op takes another op from its index.ts'],
])('%s may not import %s', async (file, specifier, message) => {
  expect(await planted(file, specifier)).toEqual([expect.stringContaining(message)]);
});

it.each([
  ['ops/gemm/webgpu.ts', '../dropout'],
  ['ops/gemm/webgpu.ts', './types'],
  ['ops/gemm/reference.ts', '../dropout/reference'],
  ['ops/gemm/gemm.test.ts', '../dropout/reference'],
  ['products/variants.ts', '../webgpu/capabilities'],
  ['plan/step.ts', '../device/device'],
])('%s may import %s', async (file, specifier) => {
  expect(await planted(file, specifier)).toEqual([]);
});

/** Relative imports of each source file, types included. */
function importsOf(folder: string): Map<string, string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const known = new Set(files);
  const resolve = (from: string, specifier: string): string[] => {
    const path = normalize(join(dirname(from), specifier));
    return [`${path}.ts`, normalize(join(path, 'index.ts'))].filter((candidate) => known.has(candidate));
  };
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return [file, [...text.matchAll(/from '(\.[^']*)'/g)].flatMap(([, specifier]) => resolve(file, specifier!))];
    }),
  );
}

it('has no circle of imports, and no room that the rules forget', () => {
  const imports = importsOf(import.meta.dirname);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' > '));
    if (path.includes(file) || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  expect(circles).toEqual([]);
  const rooms = new Set([...imports.keys()].filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
  const ruled = kernelRooms.flatMap(({ files }) => files as string[]);
  expect([...rooms].filter((room) => !ruled.includes(`packages/kernels/src/${room}/**/*.ts`))).toEqual([]);
});
