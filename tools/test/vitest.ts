import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const conditions = ['@qlora-js/source', 'node', 'import', 'module', 'default'];

/**
 * The one test set-up every package uses: sources of the workspace instead of built files, a JSON report that
 * tools/test/summary.mjs adds up, and one process a file, because a backend of tfjs is global to its process.
 */
export function packageTests(configUrl: string, options: { readonly globalSetup?: string } = {}): ViteUserConfig {
  return defineConfig({
    root: fileURLToPath(new URL('.', configUrl)),
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      ...options,
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      pool: 'forks',
      maxWorkers: 2,
      testTimeout: 120_000,
      hookTimeout: 120_000,
      reporters: ['default', 'json'],
      outputFile: { json: 'reports/vitest.json' },
      setupFiles: [fileURLToPath(new URL('./setup.ts', import.meta.url))],
    },
  });
}
