// Measures this machine and redraws docs/performance.md's tables and chart from bench/results alone.
// usage: npm run bench [-- --tables | --peer]
//   --tables  measure nothing, redraw from the result files that are there
//   --peer    also run the Python stack: on the CPU beside our steps there where there is no GPU (QLORA_PYTHON names a
//             Python that has it), else peer-qlora.py of the folder that QLORA_PEER names
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { openDevice } from '@qlora-js/kernels';
import { stepChart } from './chart';
import { RESULTS, WITHOUT } from './results';
import { allTables } from './tables';

const DOCUMENT = 'docs/performance.md';
const CHART = 'docs/step.svg';
const options = new Set(process.argv.slice(2));

if (!options.has('--tables')) await measure(options.has('--peer'));
await redraw();

async function measure(peer: boolean): Promise<void> {
  const device = await openDevice({ backend: 'auto' });
  const { backend, info } = device;
  console.log(device.report());
  device.dispose();
  if (backend !== 'webgpu' || info.software) {
    console.log(
      "No GPU here: its steps and products in bench/results stay as they are. Measuring the small base's steps and the products on wasm.",
    );
    run('tools/bench/cpu-step.ts', peer ? ['--peer'] : []);
    run('packages/kernels/src/ops/matmul4bit/matmul4bit.bench.ts', ['wasm']);
    return;
  }
  checkOps();
  run('tools/bench/check-products.ts');
  run('tools/bench/check-attention.ts');
  run('tools/bench/tune-matmul4bit.ts');
  run('tools/bench/step.ts');
  run('tools/bench/step.ts', ['--brief'], { QLORA_DAWN_TOGGLES: 'disable_robustness' });
  for (const features of WITHOUT) run('tools/bench/step.ts', ['--brief', '--without', features.join()]);
  if (peer) run('tools/bench/run-peer.ts');
}

/** The tests of all ops, on this GPU instead of a software one. */
function checkOps(): void {
  const root = '../..';
  const tests = [`${root}/node_modules/vitest/vitest.mjs`, 'run', 'src/ops'];
  const { status } = spawnSync(process.execPath, [`${root}/tools/gpu/run.mjs`, '--real', process.execPath, ...tests], {
    stdio: 'inherit',
    cwd: 'packages/kernels',
  });
  if (status !== 0) throw new Error(`the tests of packages/kernels failed on this GPU with status ${String(status)}`);
}

function run(script: string, args: readonly string[] = [], environment: Record<string, string> = {}): void {
  const { status } = spawnSync(process.execPath, [...process.execArgv, script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`${script} failed with status ${String(status)}`);
}

/** Replaces what stands between a place's two comments; a table without a place is an error. */
async function redraw(): Promise<void> {
  let text = readFileSync(DOCUMENT, 'utf8');
  for (const [name, table] of Object.entries(allTables())) {
    const [from, to] = [`<!-- bench: ${name} -->`, `<!-- end: ${name} -->`];
    const [start, end] = [text.indexOf(from), text.indexOf(to)];
    if (start < 0 || end < start) throw new Error(`${DOCUMENT} has no place for the table '${name}'`);
    text = `${text.slice(0, start + from.length)}\n\n${table}\n\n${text.slice(end)}`;
  }
  writeFileSync(DOCUMENT, await formatted(DOCUMENT, text));
  writeFileSync(CHART, stepChart());
  console.log(`${DOCUMENT} and ${CHART} redrawn from bench/results`);
  for (const name of readdirSync(RESULTS).filter((file) => file.endsWith('.json'))) {
    const path = join(RESULTS, name);
    writeFileSync(path, await formatted(path, readFileSync(path, 'utf8')));
  }
}

async function formatted(path: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}
