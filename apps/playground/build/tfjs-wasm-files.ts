import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Plugin } from 'vite';

/** Where they lie beside the built scripts; src/worker/open-device.ts says so to tfjs. */
const FOLDER = 'assets/tfjs';
const FILES = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

/** tfjs fetches its .wasm files by name at run time, so that bundlers leave them behind. */
export function tfjsWasmFiles(): Plugin {
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  return {
    name: 'tfjs-wasm-files',
    apply: 'build',
    generateBundle() {
      for (const file of FILES) {
        const source = readFileSync(join(folder, file));
        this.emitFile({ type: 'asset', fileName: `${FOLDER}/${file}`, source });
      }
    },
  };
}
