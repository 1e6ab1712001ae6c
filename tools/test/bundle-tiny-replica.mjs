// Vitest's global set-up of packages/trainer: what its tests run in worker threads as one file of JavaScript. A thread that
// compiles the sources it imports takes ten times as long to start.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const trainer = fileURLToPath(new URL('../../packages/trainer', import.meta.url));

export async function setup() {
  // Below the package, so that what stays outside is found as from its sources.
  const folder = mkdtempSync(join(trainer, '.threads-'));
  const outfile = join(folder, 'tiny-replica.mjs');
  await build({
    entryPoints: [join(trainer, 'src/testing/tiny-replica.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@qlora-js/source'],
    external: ['@tensorflow/*', 'webgpu'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  // Test files run in processes that are forked after this one has it.
  process.env.QLORA_TINY_REPLICA = outfile;
  return () => rmSync(folder, { recursive: true });
}
