import { type Plugin } from 'vite';

/**
 * Modules of tfjs that load with it and that the page never calls, with what stands in for them: its optimisers, and the
 * threaded build, which `openDevice` switches off.
 */
const STAND_INS: readonly (readonly [RegExp, string])[] = [
  [/@tensorflow\/tfjs-core\/dist\/optimizers\/register_optimizers\.js$/, 'export function registerOptimizers() {}'],
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
