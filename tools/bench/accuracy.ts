// Banking77 on the GPU at hand: the example's final training for three seeds at two learning rates, all at once, so that
// their times say nothing. Writes $OUT/banking77-accuracy.json.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/accuracy.ts BASE DATA
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const [base, data] = process.argv.slice(2);
if (base === undefined || data === undefined) throw new Error('usage: accuracy.ts BASE DATA');
/** The example's entry; a bundle of it where there are no sources. */
const cli = process.env['QLORA_CLI'] ?? 'apps/banking77/src/main.ts';
const folder = process.env['OUT'] ?? 'bench/results';
mkdirSync(folder, { recursive: true });
const work = mkdtempSync(join(tmpdir(), 'qlora-accuracy-'));

let device: unknown;
type Report = Readonly<Record<string, unknown>>;

async function trained(learningRate: string, seed: number): Promise<Record<string, unknown>> {
  const name = `${learningRate}-${seed}`;
  const report = join(work, `${name}.json`);
  const options = {
    base: base!,
    data: data!,
    trials: '0',
    'learning-rate': learningRate,
    'num-train-epochs': '5',
    'per-device-train-batch-size': '16',
    'warmup-steps': '100',
    'weight-decay': '0.01',
    seed: String(seed),
    backend: 'webgpu',
    'output-dir': join(work, name),
    'report-json': report,
  };
  const flags = Object.entries(options).flatMap(([flag, value]) => [`--${flag}`, value]);
  const child = spawn(process.execPath, [...process.execArgv, cli, 'run', ...flags, '--no-progress'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const status = await new Promise((resolve) => child.on('exit', resolve));
  if (status !== 0) throw new Error(`learning rate ${learningRate}, seed ${seed}: status ${String(status)}`);
  const full = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const figures = ['test_accuracy', 'test_f1', 'test_loss', 'best_val_accuracy'];
  // The folder of a base is this machine's; its name stands beside.
  const { base: _folder, ...environment } = full['environment'] as Report;
  device = environment;
  return { learningRate: Number(learningRate), seed, ...Object.fromEntries(figures.map((key) => [key, full[key]])) };
}

const runs = ['5e-4', '2e-3'].flatMap((rate) => [0, 1, 2].map((seed) => trained(rate, seed)));
const results = await Promise.all(runs);
rmSync(work, { recursive: true });
writeFileSync(
  `${folder}/banking77-accuracy.json`,
  JSON.stringify({ device, base: basename(base), results }, undefined, 1),
);
for (const { learningRate, seed, test_accuracy } of results) console.log(learningRate, seed, test_accuracy);
