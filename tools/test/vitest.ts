import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const conditions = ['@qlora-js/source', 'node', 'import', 'module', 'default'];

const TYPESCRIPT = fileURLToPath(new URL('../typescript.mjs', import.meta.url));

export interface PackageTestOptions {
  readonly globalSetup?: string;
  /** Lets worker threads that tests start run the workspace's TypeScript sources. */
  readonly workerThreads?: boolean;
}

/**
 * The one test set-up every package uses: sources of the workspace instead of built files, a JSON report that
 * tools/test/summary.mjs adds up, and one process a file, because a backend of tfjs is global to its process.
 */
export function packageTests(
  configUrl: string,
  { workerThreads = false, ...options }: PackageTestOptions = {},
): ViteUserConfig {
  return defineConfig({
    root: fileURLToPath(new URL('.', configUrl)),
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      ...options,
      // Worker threads take Node's options over from the process that a test file runs in.
      ...(workerThreads ? { execArgv: ['--conditions=@qlora-js/source', '--import', TYPESCRIPT] } : {}),
      include: [
        'src/**/*.test.ts',
        'test/**/*.test.ts',
        ...(process.env['QLORA_BANKING77'] ? ['src/**/*.real-data.ts'] : []),
      ],
      pool: 'forks',
      maxWorkers: 2,
      testTimeout: 120_000,
      hookTimeout: 120_000,
      reporters: ['default', 'json'],
      outputFile: { json: 'reports/vitest.json' },
    },
  });
}
