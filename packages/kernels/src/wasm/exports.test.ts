import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { callsOf, WASM_PARAMETERS, type WasmKernelExports } from './exports';

/** Names of the parameters of every exported function of the modules' sources. */
function parametersInSource(): Map<string, string[]> {
  const folder = new URL('../../assembly/', import.meta.url);
  const found = new Map<string, string[]>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    for (const [, name, parameters] of text.matchAll(/^export function (\w+)\(([^)]*)\)/gm)) {
      found.set(
        name!,
        [...parameters!.matchAll(/(\w+)\s*:/g)].map(([, parameter]) => parameter!),
      );
    }
  }
  return found;
}

it('names the parameters as the sources of the modules do, in their order', () => {
  const sources = parametersInSource();
  for (const [name, parameters] of Object.entries(WASM_PARAMETERS)) expect(sources.get(name), name).toEqual(parameters);
});

it('puts named numbers into their places', () => {
  const seen: number[][] = [];
  const exports = { axpy: (...numbers: number[]) => seen.push(numbers) } as unknown as WasmKernelExports;
  callsOf(exports).axpy({ y: 4, n: 3, alpha: 1, x: 2 });
  expect(seen).toEqual([[1, 2, 3, 4]]);
});
