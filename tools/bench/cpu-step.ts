// A training step of the small base (NF4, LoRA of rank 16) at 16 x 24 on wasm: milliseconds by threads, all tokens real.
// Rounds take turns, so that what the machine does meanwhile falls on all of them. Writes bench/results/cpu-step.json,
// where each version of Node keeps a row of its own.
// usage: node tools/run.mjs bench [--peer] where there is no GPU, or
//        npx tsx --conditions=@qlora-js/source tools/bench/cpu-step.ts [--peer]
//   --peer    also the Python stack on this CPU, in turn with ours
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dispose } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { openDevice } from '@qlora-js/kernels';
import { clipGradients, createOptimizer, decayGroups } from '@qlora-js/optim';
import { windowGradients } from '@qlora-js/trainer';
import { startReplicas } from '@qlora-js/trainer/node';
import { cpuClassifier, LABELS } from './cpu-classifier';
import { startCpuPeer } from './cpu-peer';
import { readResult, RESULTS, type CpuStepResults, type CpuStepRun } from './results';

const [BATCH, LENGTH] = [16, 24];
const ROUNDS = 21;
const STEPS = 5;
const BASE = 'packages/base-mini/weights';

const load = loadavg()[0]!;
const device = await openDevice({ backend: 'wasm' });
const classifier = await cpuClassifier();
const trained = classifier.trainedVariables();
const optimizer = createOptimizer('paged_adamw_8bit', decayGroups(trained, 0.01));
const batch = fullBatch();
let stepsDone = 0;

/** Milliseconds a step on the main thread and `threads - 1` others. */
async function stepper(
  threads: number,
): Promise<{ run: (steps: number) => Promise<number>; end: () => Promise<void> }> {
  const replicas =
    threads === 1
      ? undefined
      : await startReplicas({
          module: new URL('./cpu-replica.ts', import.meta.url),
          count: threads - 1,
          setup: undefined,
          execArgv: [
            '--conditions=@qlora-js/source',
            '--import',
            fileURLToPath(new URL('../typescript.mjs', import.meta.url)),
          ],
        });
  const step = async (): Promise<void> => {
    const position = { seed: 0, step: stepsDone++ };
    const { loss, gradients } = await (replicas === undefined
      ? windowGradients(classifier, trained, [batch], position)
      : replicas.windowGradients(classifier, trained, [batch], position));
    const { norm, control } = clipGradients(gradients, { maxNorm: 1 });
    await optimizer.step(gradients, { learningRate: 1e-4, control });
    const [value] = await loss.data();
    if (!Number.isFinite(value)) throw new Error(`the loss of step ${position.step} is ${value}`);
    dispose([loss, norm, control, ...gradients.values()]);
  };
  return {
    run: async (steps) => {
      const started = performance.now();
      for (let i = 0; i < steps; i++) await step();
      return (performance.now() - started) / steps;
    },
    end: async () => replicas?.dispose(),
  };
}

const counts = [1, 2, 4, 8].filter((threads) => threads === 1 || threads <= availableParallelism());
const steppers = await Promise.all(counts.map(stepper));
const peer = process.argv.includes('--peer') ? await startCpuPeer(BASE, BATCH, LENGTH) : undefined;
const lines: { name: string; run: (steps: number) => Promise<number>; rounds: number[] }[] = [
  ...steppers.map(({ run }, index) => ({ name: `${counts[index]} threads`, run, rounds: [] })),
  ...(peer === undefined ? [] : [{ name: 'Python', run: peer.run, rounds: [] }]),
];
for (const { run } of lines) await run(3);
for (let round = 0; round < ROUNDS; round++) {
  for (const line of lines) line.rounds.push(await line.run(STEPS));
  console.log(lines.map(({ name, rounds }) => `${name}: ${rounds.at(-1)!.toFixed(0)} ms`).join('   '));
}

const ours: CpuStepRun = {
  node: process.version,
  shape: `${BATCH}x${LENGTH}`,
  loadBefore: load,
  threads: counts.map((threads, index) => ({ threads, ms: lines[index]!.rounds })),
  ...(peer === undefined ? {} : { peer: { versions: peer.versions, threads: peer.threads, ms: lines.at(-1)!.rounds } }),
};
const machine = { ...device.info, processor: cpus()[0]!.model, cores: availableParallelism() };
const before = readResult<CpuStepResults>('cpu-step.json');
const kept = before?.device.processor === machine.processor ? before.runs.filter(({ node }) => node !== ours.node) : [];
const runs = [...kept, ours].sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }));
mkdirSync(RESULTS, { recursive: true });
writeFileSync(
  join(RESULTS, 'cpu-step.json'),
  JSON.stringify({ device: machine, runs } satisfies CpuStepResults, undefined, 1),
);
for (const { name, rounds } of lines) console.log(`${name}: ${median(rounds).toFixed(0)} ms a step`);
peer?.end();
await Promise.all(steppers.map(({ end }) => end()));
device.dispose();

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** 16 rows of 24 real tokens, drawn once. */
function fullBatch(): CollatedBatch {
  let state = 99;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  return {
    rows: Array.from({ length: BATCH }, () => ({
      ids: Int32Array.from({ length: LENGTH }, () => below(50_000)),
      start: 0,
    })),
    labels: Int32Array.from({ length: BATCH }, () => below(LABELS)),
    batchSize: BATCH,
    length: LENGTH,
    realTokens: BATCH * LENGTH,
  };
}
