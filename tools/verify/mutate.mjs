// Changes every line of lora, quant and optim in every way that Stryker knows and counts the changes no test notices.
// usage: npm run verify -- mutate [PACKAGE ...] [--concurrency N]
//
// Nothing is left out but tests and their helpers: no file, no kind of change, no change at load time. Works in a copy of
// the checkout. Only cpu and wasm are tested: the software GPU would take days. Writes docs/verify/mutate.json and the
// table of docs/testing.md; fails where a package is below 80 %.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const STRYKER = '9.6.1';
const PACKAGES = ['lora', 'quant', 'optim'];
const NEEDED = 80;

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: 'string', default: '1' } },
});
const chosen = positionals.length === 0 ? PACKAGES : positionals;
for (const name of chosen) if (!PACKAGES.includes(name)) throw new Error(`'${name}' is none of ${PACKAGES.join(', ')}`);

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
  concurrency: Number(values.concurrency),
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

/** Puts the scores between the marks of docs/testing.md. */
function writeTable(packages) {
  const path = join(root, 'docs/testing.md');
  const [start, end] = ['<!-- mutation scores: begin -->', '<!-- mutation scores: end -->'];
  const text = readFileSync(path, 'utf8');
  if (!text.includes(start) || !text.includes(end)) throw new Error(`${path} lacks the lines ${start} and ${end}`);
  const rows = Object.entries(packages).map(
    ([name, { score, mutants, detected, date }]) => `| ${name} | ${mutants} | ${detected} | ${score} % | ${date} |`,
  );
  const table = ['| package | changes | noticed | score | date |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
  const [before, after] = [text.slice(0, text.indexOf(start) + start.length), text.slice(text.indexOf(end))];
  writeFileSync(path, `${before}\n\n${table}\n\n${after}`);
  execFileSync(join(root, 'node_modules/.bin/prettier'), ['--write', '--log-level', 'warn', path]);
}

const copy = copyCheckout();
const resultFile = join(root, 'docs/verify/mutate.json');
try {
  for (const name of chosen) {
    const { survivors, ...result } = scoreOf(mutate(copy, name));
    const before = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : { packages: {} };
    const date = new Date().toISOString().slice(0, 10);
    const packages = { ...before.packages, [name]: { ...result, date } };
    const ordered = Object.fromEntries(
      PACKAGES.filter((each) => each in packages).map((each) => [each, packages[each]]),
    );
    mkdirSync(dirname(resultFile), { recursive: true });
    const document = { madeBy: 'tools/verify/mutate.mjs', stryker: STRYKER, node: process.version, packages: ordered };
    writeFileSync(resultFile, `${JSON.stringify(document, null, 2)}\n`);
    writeTable(ordered);
    mkdirSync(join(root, 'packages', name, 'reports'), { recursive: true });
    writeFileSync(join(root, 'packages', name, 'reports/survivors.txt'), `${survivors.join('\n')}\n`);
    console.log(`${name}: ${result.score} % of ${result.mutants} changes noticed; the others: reports/survivors.txt`);
    if (result.score < NEEDED) process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
