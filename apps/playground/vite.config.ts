import { defaultClientConditions, defineConfig } from 'vite';
import { contentSecurityPolicy } from './build/content-security-policy';
import { firstLoadBudget } from './build/first-load-budget';
import { shortShaders } from './build/short-shaders';
import { tfjsWasmFiles } from './build/tfjs-wasm-files';
import { unusedTfjs } from './build/unused-tfjs';

export default defineConfig({
  // Relative addresses: the site works under any path.
  base: './',
  resolve: { conditions: ['@qlora-js/source', ...defaultClientConditions] },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    // Small files of the base as data: addresses would not pass connect-src.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    reportCompressedSize: false,
  },
  worker: {
    format: 'es',
    plugins: () => [unusedTfjs(), shortShaders()],
    rollupOptions: {
      output: {
        chunkFileNames: ({ facadeModuleId, moduleIds }) =>
          `assets/${chunkName(facadeModuleId ?? namingModule(moduleIds))}-[hash].js`,
      },
    },
  },
  preview: { host: '127.0.0.1', port: 4077, strictPort: true },
  plugins: [contentSecurityPolicy(), tfjsWasmFiles(), firstLoadBudget()],
});

/** A module that names a part which several others share: what generates, plans, or any where all of it is of one package. */
function namingModule(modules: readonly string[]): string | null {
  if (modules.some((module) => /\/kernels\/src\/plan\//.test(module))) return '/node_modules/plans/';
  if (modules.some((module) => /\/gpt2\/src\/generate\//.test(module))) return '/node_modules/generate/';
  const packages = new Set(modules.map((module) => /\/packages\/([^/]+)\//.exec(module)?.[1]));
  return packages.size === 1 && !packages.has(undefined) ? modules[0]! : null;
}

/** Names a part that is loaded on demand by its package or its own file, which the budget of the first load knows it by. */
function chunkName(module: string | null): string {
  const [, own] = /playground\/src\/(?:.*\/)?([\w-]+)\.tsx?$/.exec(module ?? '') ?? [];
  const [, dependency] = /(?:node_modules|packages)\/(?:@[^/]+\/)?([^/@]+)\//.exec(module ?? '') ?? [];
  return own ?? dependency ?? 'shared';
}
