import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';
import { expect, it } from 'vitest';
import config from '../tsup.config';
import type * as BaseMini from './index';

it('finds its weights from the built modules, ESM and CommonJS', async () => {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const folder = await mkdtemp(join(root, '.readme-build-'));
  try {
    if (typeof config !== 'object' || Array.isArray(config)) throw new Error('the build is one set of options');
    await build({
      ...config,
      config: false,
      entry: [join(root, 'src/index.ts')],
      outDir: folder,
      dts: false,
      silent: true,
    });
    const modules = [
      (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'index.js')).href)) as typeof BaseMini,
      createRequire(import.meta.url)(join(folder, 'index.cjs')) as typeof BaseMini,
    ];
    for (const { baseMiniFiles } of modules) {
      expect(await (await baseMiniFiles()).json('config.json')).toMatchObject({ vocab_size: 50257 });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
