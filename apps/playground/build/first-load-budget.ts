import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Plugin } from 'vite';

/** Bytes, packed by gzip, that a visitor loads until a training runs on wasm; the base is not among them. */
const BUDGET = 450_000;

/** What is loaded later or instead, by the beginning of its file's name. */
const LATER = [
  'tfjs/tfjs-backend-wasm.wasm',
  'tfjs-backend-webgpu-',
  'tfjs-backend-cpu-',
  'hyparquet-',
  'yaml-',
  'hub-',
  'gguf-model-',
  'hub-base-',
  'finetune-',
  'trainer-',
  'metrics-',
  'llama-',
  'look-',
  'weights-',
  'zip-',
  'adapter-zip-',
  'generate-',
  'plans-',
];

/** The base's files. */
const BASE = /^(?:model|config|vocab|merges|tokenizer_config|quantisation|README)-[\w-]+\.(?:safetensors|json|txt|md)$/;

/** Packed sizes of the first load's files, by their paths in the site. */
export function firstLoad(site: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const path of readdirSync(site, { recursive: true, encoding: 'utf8' })) {
    const file = join(site, path);
    if (!statSync(file).isFile()) continue;
    const name = path.replaceAll('\\', '/').replace(/^assets\//, '');
    if (BASE.test(name) || LATER.some((beginning) => name.startsWith(beginning))) continue;
    sizes.set(path, gzipSync(readFileSync(file), { level: 9 }).length);
  }
  return sizes;
}

/** Fails the build where the first load has grown beyond its budget. */
export function firstLoadBudget(): Plugin {
  let site = '';
  return {
    name: 'first-load-budget',
    apply: 'build',
    configResolved: ({ root, build }) => void (site = resolve(root, build.outDir)),
    closeBundle() {
      const sizes = firstLoad(site);
      const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      const list = [...sizes].sort(([, one], [, other]) => other - one).map(([path, size]) => `  ${size}  ${path}`);
      if (total > BUDGET) {
        throw new Error(`the first load has ${total} bytes packed, ${BUDGET} are allowed:\n${list.join('\n')}`);
      }
      console.log(`first load: ${total} bytes packed of ${BUDGET}`);
    },
  };
}
