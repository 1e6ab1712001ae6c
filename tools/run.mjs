#!/usr/bin/env node
// The workspace's commands on a fresh clone: installs what is missing, then runs.
// usage: node tools/run.mjs start|banking77|playground|test|bench|verify [ARG ...]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const environment = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false', DO_NOT_TRACK: '1' };
const [command, ...args] = process.argv.slice(2);

/** Node's options to run the sources; tsx by its address, so that any working folder will do. */
const sources = () => ['--conditions=@qlora-js/source', '--import', import.meta.resolve('tsx')];
const PAGE = join(root, 'apps/playground');
const APP = join(root, 'apps/banking77/src/main.ts');

const commands = {
  /** The main job on the embedded base and the generated data, sized for two cores without a GPU. */
  start: () => run(process.execPath, [...sources(), APP, '--config', join(root, 'apps/banking77/start.json'), ...args]),
  banking77: () => run(process.execPath, [...sources(), APP, ...args]),
  /** Builds the page and serves it on this machine alone. */
  playground: () =>
    run(process.execPath, [vite(), 'build', PAGE]) || run(process.execPath, [vite(), 'preview', PAGE, ...args]),
  test: async () => {
    const eslint = ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0'];
    const prettier = ['node_modules/prettier/bin/prettier.cjs', '--check', '.', '--log-level', 'warn'];
    const types = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'];
    const build = [nx(), 'run-many', '-t', 'build', '--parallel=1', '--output-style=static'];
    // One program over the whole workspace each: a program a package reads what lies below it again and again.
    const lanes = [
      [eslint, prettier],
      [types, build],
    ];
    const statuses = (await Promise.all(lanes.map(inTurn))).flat();
    statuses.push(run(process.execPath, [nx(), 'run-many', '-t', 'test', ...args]));
    const before = Math.max(...statuses);
    return Math.max(before, run(process.execPath, [join(root, 'tools/test/summary.mjs'), String(before)]));
  },
  bench: () => run(process.execPath, [...sources(), join(root, 'tools/bench/main.ts'), ...args]),
  verify: () => run(process.execPath, [...sources(), join(root, 'tools/verify/main.ts'), ...args]),
};

if (command === undefined || !Object.hasOwn(commands, command)) {
  console.error(`usage: node tools/run.mjs ${Object.keys(commands).join('|')} [ARG ...]`);
  process.exit(2);
}
installMissing();
process.exit(await commands[command]());

/** Runs npm ci where node_modules is not what the lock file asks for. */
function installMissing() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules/.qlora-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.log('installing what is missing (npm ci) ...');
  const status = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']);
  if (status !== 0) process.exit(status);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

function vite() {
  return join(root, 'node_modules/vite/bin/vite.js');
}

function nx() {
  return join(root, 'node_modules/nx/dist/bin/nx.js');
}

/** Runs scripts of Node one after the other, each with its output shown when it ends; their statuses. */
async function inTurn(scripts) {
  const statuses = [];
  for (const words of scripts) {
    const { status, printed } = await new Promise((resolve) => {
      const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root, env: environment });
      let printed = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += data));
      child.on('error', (error) => resolve({ status: 1, printed: error.message }));
      child.on('close', (status) => resolve({ status: status ?? 1, printed }));
    });
    console.log(`${words[0]}: ${status === 0 ? 'ok' : 'failed'}\n${printed}`);
    statuses.push(status);
  }
  return statuses;
}

function run(program, words) {
  // Relative paths on the command line are the caller's: the working folder stays.
  const { status, error, signal } = spawnSync(program, words, {
    stdio: 'inherit',
    cwd: command === 'start' || command === 'banking77' ? process.cwd() : root,
    env: environment,
  });
  if (error) console.error(`${program} could not be started: ${error.message}`);
  return signal ? 1 : (status ?? 1);
}
