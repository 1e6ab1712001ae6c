// Runs Stryker over packages in a copy of the checkout and writes the counts to a file; names/mutate.ts says what for.
// usage: node tools/verify/mutate/run.mjs RESULT STRYKER CONCURRENCY PACKAGE ...
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const [resultFile, STRYKER, concurrency, ...chosen] = process.argv.slice(2);

/** The checkout's files and its node_modules, hard-linked where the file system can. */
function copyCheckout() {
  const copy = mkdtempSync(join(tmpdir(), 'qlora-mutate-'));
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const file of files.toString().split('\0').filter(Boolean)) {
    if (!existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  const linked = spawnSync('cp', ['-al', join(root, 'node_modules'), join(copy, 'node_modules')]);
  if (linked.status !== 0) cpSync(join(root, 'node_modules'), join(copy, 'node_modules'), { recursive: true });
  const stryker = ['@stryker-mutator/core', '@stryker-mutator/vitest-runner'].map((name) => `${name}@${STRYKER}`);
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps', '--no-workspaces'];
  mkdirSync(join(copy, 'tools/verify/stryker'), { recursive: true });
  writeFileSync(join(copy, 'tools/verify/stryker/package.json'), '{ "private": true }\n');
  execFileSync('npm', ['install', ...flags, ...stryker], { cwd: join(copy, 'tools/verify/stryker'), stdio: 'inherit' });
  return copy;
}

const CONFIG = {
  testRunner: 'vitest',
  inPlace: true,
  mutate: ['src/**/*.ts', '!src/**/*.test.ts', '!src/**/*.bench.ts', '!src/testing/**'],
  coverageAnalysis: 'perTest',
  ignoreStatic: false,
  concurrency: Number(concurrency),
  timeoutMS: 60_000,
  reporters: ['json', 'progress-append-only'],
  jsonReporter: { fileName: 'reports/mutation.json' },
  allowConsoleColors: false,
  tempDirName: 'reports/stryker',
};

function mutate(copy, name) {
  const folder = join(copy, 'packages', name);
  const modules = join(copy, 'tools/verify/stryker/node_modules');
  const config = { ...CONFIG, plugins: [join(modules, '@stryker-mutator/vitest-runner/dist/src/index.js')] };
  writeFileSync(join(folder, 'stryker.config.json'), JSON.stringify(config));
  const env = { ...process.env, QLORA_TEST_BACKENDS: 'cpu,wasm' };
  delete env.CI;
  const bin = join(modules, '@stryker-mutator/core/bin/stryker.js');
  const { status } = spawnSync(process.execPath, [bin, 'run'], { cwd: folder, stdio: 'inherit', env });
  const report = join(folder, 'reports/mutation.json');
  if (!existsSync(report)) throw new Error(`Stryker ended with ${status} and wrote no report for ${name}`);
  return JSON.parse(readFileSync(report, 'utf8'));
}

function scoreOf({ files }) {
  const counts = {};
  const survivors = [];
  for (const [file, { mutants }] of Object.entries(files)) {
    for (const { status, mutatorName, location, replacement } of mutants) {
      counts[status] = (counts[status] ?? 0) + 1;
      if (status !== 'Survived' && status !== 'NoCoverage') continue;
      survivors.push(
        `${file}:${location.start.line}:${location.start.column} ${mutatorName} ${replacement ?? ''}`.trim(),
      );
    }
  }
  const detected = (counts.Killed ?? 0) + (counts.Timeout ?? 0);
  const all = detected + (counts.Survived ?? 0) + (counts.NoCoverage ?? 0);
  // Rounded down: a figure is never better than what was measured.
  return { score: Math.floor((1000 * detected) / all) / 10, mutants: all, detected, counts, survivors };
}

const copy = copyCheckout();
try {
  const results = {};
  for (const name of chosen) {
    const { survivors, ...result } = scoreOf(mutate(copy, name));
    results[name] = result;
    mkdirSync(join(root, 'packages', name, 'reports'), { recursive: true });
    writeFileSync(join(root, 'packages', name, 'reports/survivors.txt'), `${survivors.join('\n')}\n`);
    writeFileSync(resultFile, JSON.stringify(results));
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
