import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../commands';
import type { Verification } from '../verification';

const VERSIONS = { esbuild: '0.27.0', webpack: '5.103.0', 'webpack-cli': '6.0.1', vite: '7.2.4' };

/**
 * A page on the packed packages, built by esbuild, webpack and vite and served by vite's dev server. A build passes where it
 * has no error and base-mini's weights come along, the dev server where it delivers every module and the weights' bytes.
 */
export default {
  summary: 'esbuild, webpack, vite and its dev server build a page on the packages, its weights included',
  run: async ({ root, cache, log }) => {
    execute(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), 'run-many', '-t', 'build'], { cwd: root });
    const result = join(cache, 'result.json');
    execute(process.execPath, [join(root, 'tools/verify/bundlers/run.mjs'), result, JSON.stringify(VERSIONS)]);
    const results = JSON.parse(readFileSync(result, 'utf8')) as Record<string, { passed: boolean; problem?: string }>;
    const entries = Object.entries(results);
    for (const [name, { passed, problem = '' }] of entries)
      log(`${name}: ${passed ? 'passed' : `FAILED\n  ${problem}`}`);
    const passed = entries.filter(([, each]) => each.passed).length;
    return { passed, failed: entries.length - passed, versions: VERSIONS, figures: results };
  },
} satisfies Verification;
