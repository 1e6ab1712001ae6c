import { type Plugin } from 'vite';

/**
 * Modules of tfjs that load with it and that the page never calls, with what stands in for them: its optimisers, its
 * ways to load and save models, hashes of strings, and the threaded build, which `openDevice` switches off.
 */
const STAND_INS: readonly (readonly [RegExp, string])[] = [
  [/@tensorflow\/tfjs-core\/dist\/optimizers\/register_optimizers\.js$/, 'export function registerOptimizers() {}'],
  [/@tensorflow\/tfjs-core\/dist\/hash_util\.js$/, 'export const hexToLong = undefined, fingerPrint64 = undefined;'],
  [/@tensorflow\/tfjs-core\/dist\/io\/indexed_db\.js$/, storage('BrowserIndexedDB', 'indexeddb://')],
  [/@tensorflow\/tfjs-core\/dist\/io\/local_storage\.js$/, storage('BrowserLocalStorage', 'localstorage://')],
  [/@tensorflow\/tfjs-core\/dist\/io\/browser_files\.js$/, 'export const browserFiles = undefined;'],
  [
    /@tensorflow\/tfjs-core\/dist\/io\/http\.js$/,
    'export const browserHTTPRequest = undefined, http = undefined, isHTTPScheme = undefined;',
  ],
  [/@tensorflow\/tfjs-backend-wasm\/wasm-out\/tfjs-backend-wasm-threaded-simd\.js$/, 'export default undefined;'],
  [
    /@tensorflow\/tfjs-backend-wasm\/wasm-out\/tfjs-backend-wasm-threaded-simd\.worker\.js$/,
    "export const wasmWorkerContents = '';",
  ],
];

/** Leaves out of the workers' bundle what is never called there. */
export function unusedTfjs(): Plugin {
  return {
    name: 'unused-tfjs',
    apply: 'build',
    load: (id) => STAND_INS.find(([module]) => module.test(id))?.[1] ?? null,
  };
}

/** A way to store models as tfjs' platform for browsers registers it. */
function storage(name: string, scheme: string): string {
  return `export class ${name} { static URL_SCHEME = '${scheme}' }; export class ${name}Manager {}`;
}
