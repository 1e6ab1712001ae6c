import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** Every module that `file` imports or re-exports, directly or not: relative ones by path, others by name. */
function imports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) [^;]*? from '([^']+)';/gm)) {
    if (name!.startsWith('.')) imports(join(dirname(file), `${name}.ts`), seen);
    else seen.add(name!);
  }
  return seen;
}

it('imports nothing but its own files and the budget outside ./node, so that browsers can load it', () => {
  const source = dirname(fileURLToPath(import.meta.url));
  const modules = [...imports(join(source, 'index.ts'))];
  expect(modules.length).toBeGreaterThan(20);
  const foreign = modules.filter((name) => !name.startsWith(source) || name.startsWith(join(source, 'node')));
  expect(foreign).toEqual(['@qlora-js/read-budget']);
  const text = modules
    .filter((file) => file.startsWith(source))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  expect(text).not.toMatch(/\b(Buffer|process|require)\b[.(]/);
});
