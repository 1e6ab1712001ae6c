// A whole QLoRA step of GPT-2 medium's shape, eager and as a recorded plan, evaluation, memory, time by kernel.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/step.ts [--small]; Dawn toggles in QLORA_DAWN_TOGGLES
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  dispose,
  tensor1d,
  tidy,
  variableGrads,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { tokenBatch, type TokenBatch } from '@qlora-js/gpt2';
import { INFERENCE, openDevice, randomState } from '@qlora-js/kernels';
import { clipGradients, createOptimizer, decayGroups, GradScaler } from '@qlora-js/optim';
import { sequenceClassifier } from '@qlora-js/trainer';
import { plan, type InputValues, type Step } from '../../packages/kernels/src/plan';
import { hasSubgroupMatrices } from '../../packages/kernels/src/webgpu/variants';
import { driverBytes } from './driver-memory';
import { GPT2_MEDIUM, LABELS, randomModel } from './gpt2-medium';

const small = process.argv.includes('--small');
/** Plans alone, without checkpointing. */
const brief = process.argv.includes('--brief');
const dawnToggles = (process.env['QLORA_DAWN_TOGGLES'] ?? '').split(',').filter((name) => name !== '');
/** What the driver counts before this process has a device. */
const driverIdle = driverBytes();
const device = await openDevice({ backend: 'webgpu', dawnToggles });
device.gpuDevice!.addEventListener('uncapturederror', (event) => {
  console.log('GPU error:', (event as unknown as { error: { message: string } }).error.message.slice(0, 800));
});
const folder = process.env['OUT'] ?? 'bench/results';
mkdirSync(folder, { recursive: true });
const size = small ? { layers: 2, width: 128, heads: 2, vocabulary: 50_257 } : GPT2_MEDIUM;
console.log(device.info.adapter, device.info.driver, device.info.features.join(' '));
let started = performance.now();
const model = randomModel(size);
await device.synchronize();
console.log(
  `model in ${((performance.now() - started) / 1e3).toFixed(1)} s, ${device.memory().currentBytes / 2 ** 20} MiB`,
);
console.log('subgroup matrices:', hasSubgroupMatrices(device.gpuDevice!));
const trainable = sequenceClassifier(model, { padTokenId: 50256 });
const trained = trainable.trainedVariables();
const variables = trained.map(({ variable }) => variable);
const optimizer = createOptimizer('paged_adamw_8bit', decayGroups(trained, 0.01));
const scaler = new GradScaler();

let state = 99;
const randomInteger = (below: number) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
function makeBatch(batchSize: number, length: number): { tokens: TokenBatch; labels: Tensor1D } {
  const inputIds = Int32Array.from({ length: batchSize * length }, () => randomInteger(50_000));
  const attentionMask = new Int32Array(batchSize * length).fill(1);
  const tokens = tokenBatch(
    { inputIds, attentionMask, batchSize, length },
    { padTokenId: 50256, nPositions: 1024, vocabSize: 50_257 },
  );
  return {
    tokens,
    labels: tensor1d(
      Int32Array.from({ length: batchSize }, () => randomInteger(LABELS)),
      'int32',
    ),
  };
}

type Inputs = Record<'ids' | 'positions' | 'sequences' | 'pooledRows' | 'labels' | 'random' | 'learningRate', Tensor>;
/** One training step: scaled loss, gradients, clipping, 8-bit AdamW or a step left out. */
function trainStep(inputs: Inputs): Record<'loss' | 'norm', Tensor> {
  const batch = batchOf(inputs);
  const { value, grads } = variableGrads(() => {
    const context = { training: true, random: inputs.random as Tensor1D };
    return scaler.scale(model.base.loss(batch, inputs.labels as Tensor1D, context).loss);
  }, variables);
  const gradients = new Map(trained.map(({ name, variable }) => [name, grads[variable.name]!]));
  const { norm, control } = clipGradients(gradients, { maxNorm: 1, lossScale: scaler.lossScale });
  optimizer.stepSync(gradients, { learningRate: inputs.learningRate as Tensor1D, control });
  scaler.update(control);
  dispose([...gradients.values(), control]);
  return { loss: value, norm };
}
const batchOf = (inputs: Inputs): TokenBatch => ({
  ids: inputs.ids as Tensor1D,
  positions: inputs.positions as Tensor1D,
  sequences: inputs.sequences as Tensor2D,
  pooledRows: inputs.pooledRows as Tensor1D,
  rows: inputs.ids.size,
  batchSize: inputs.labels.size,
  dispose: () => undefined,
});

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
/** Milliseconds a run, in rounds of about a third of a second that end with everything done: the median round. */
async function time(run: () => void, rounds: number): Promise<number> {
  const times: number[] = [];
  const first = performance.now();
  run();
  await device.synchronize();
  const runs = Math.max(1, Math.min(20, Math.round(300 / (performance.now() - first))));
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    for (let i = 0; i < runs; i++) run();
    await device.synchronize();
    times.push((performance.now() - from) / runs);
  }
  return median(times);
}

const report: Record<string, unknown>[] = [];
const kernels: Record<string, unknown> = {};
const save = () =>
  writeFileSync(
    `${folder}/step${small ? '-small' : ''}${dawnToggles.map((name) => `-${name}`).join('')}.json`,
    JSON.stringify(
      { device: device.info, node: process.version, dawnToggles, size, results: report, kernels },
      undefined,
      1,
    ),
  );

/** Shares of a profile by kernel without shapes, longest first. */
function byKernel(rows: readonly { label: string; dispatches: number; microseconds: number }[]) {
  const groups = new Map<string, { kernel: string; dispatches: number; microseconds: number }>();
  for (const { label, dispatches, microseconds } of rows) {
    const kernel = label.replace(/ (\{|\d+x).*$/, '').replace(/_\d.*$/, '');
    const group = groups.get(kernel) ?? { kernel, dispatches: 0, microseconds: 0 };
    group.dispatches += dispatches;
    group.microseconds += microseconds;
    groups.set(kernel, group);
  }
  return [...groups.values()].sort((a, b) => b.microseconds - a.microseconds);
}

/** Ways of keeping what the backward pass needs. */
const MEMORIES = [
  { checkpointing: false, activationDtype: 'float32' },
  { checkpointing: false, activationDtype: 'float16' },
  { checkpointing: true, activationDtype: 'float32' },
] as const;
const shapes = small
  ? [[2, 24]]
  : [
      [16, 24],
      [16, 128],
      [64, 128],
    ];
for (const [batchSize, length] of shapes as [number, number][]) {
  const name = `${batchSize}x${length}`;
  const { tokens, labels } = makeBatch(batchSize, length);
  const random = randomState({ seed: 0, step: 0, microBatch: 0 });
  const learningRate = tensor1d([1e-4]);
  const { ids, positions, sequences, pooledRows } = tokens;
  const inputs: Inputs = { ids, positions, sequences, pooledRows, labels, random, learningRate };
  for (const { checkpointing, activationDtype } of brief ? MEMORIES.slice(0, 1) : MEMORIES) {
    const row: Record<string, unknown> = { shape: name, checkpointing, activationDtype };
    report.push(row);
    trainable.setGradientCheckpointing(checkpointing);
    trainable.setActivationDtype(activationDtype);
    const eagerStep = () => dispose(Object.values(trainStep(inputs)));
    try {
      device.resetPeakMemory();
      started = performance.now();
      eagerStep();
      await device.synchronize();
      row['eagerFirstMs'] = performance.now() - started;
      if (!brief) row['eagerMs'] = await time(eagerStep, 3);
      row['eagerPeakGiB'] = device.memory().peakBytes / 2 ** 30;
    } catch (error) {
      row['eagerError'] = String((error as Error).stack).slice(0, 600);
    }
    let step: Step<'loss' | 'norm'> | undefined;
    try {
      // What the eager step has left for reuse is not the plan's.
      device.releaseUnused();
      await device.synchronize();
      started = performance.now();
      step = plan(device, trainStep, inputs, { name: `step ${name}`, batch: batchSize });
      row['recordMs'] = performance.now() - started;
      row['dispatches'] = step.dispatches;
      row['planMemory'] = step.memory.text;
      row['planPeakGiB'] = (step.memory.peakBytes + device.memory().currentBytes) / 2 ** 30;
      const values: InputValues = Object.fromEntries(
        await Promise.all(Object.entries(inputs).map(async ([key, tensor]) => [key, await tensor.data()])),
      ) as InputValues;
      const run = () => step!.run(values);
      run();
      await device.synchronize();
      await time(run, 2);
      const from = performance.now();
      for (let i = 0; i < 3; i++) run();
      row['hostMs'] = (performance.now() - from) / 3;
      await device.synchronize();
      row['planMs'] = await time(run, 5);
      row['allocatedGiB'] = device.memory().allocatedBytes / 2 ** 30;
      const driver = driverBytes();
      if (driver !== undefined && driverIdle !== undefined) row['driverGiB'] = (driver - driverIdle) / 2 ** 30;
      const { scale, skippedSteps } = await scaler.stats();
      Object.assign(row, { loss: (await step.read('loss'))[0]! / scale, lossScale: scale, skippedSteps });
      const profile = await step.profile(values);
      row['gpuMs'] = profile.microseconds / 1e3;
      kernels[`${name}${checkpointing ? ' checkpointing' : ''}${activationDtype === 'float16' ? ' float16' : ''}`] = {
        total: byKernel(profile.rows),
        rows: profile.rows,
      };
      console.log(
        name,
        checkpointing ? 'checkpointing' : '',
        activationDtype,
        '\n' +
          byKernel(profile.rows)
            .slice(0, 22)
            .map(
              (k) =>
                `  ${k.kernel.slice(0, 84).padEnd(84)} ${String(k.dispatches).padStart(5)} ${(k.microseconds / 1e3).toFixed(3).padStart(9)} ms`,
            )
            .join('\n'),
      );
    } catch (error) {
      row['planError'] = String((error as Error).stack).slice(0, 900);
    }
    step?.dispose();
    console.log(JSON.stringify(row));
    save();
  }
  trainable.setGradientCheckpointing(false);
  trainable.setActivationDtype('float32');
  const evaluation: Record<string, unknown> = { shape: name, evaluation: true };
  report.push(evaluation);
  try {
    const forward = () => tidy(() => void model.base.forward(tokens, INFERENCE));
    forward();
    await device.synchronize();
    evaluation['eagerMs'] = await time(forward, 3);
    const { labels: _labels, random: _random, learningRate: _rate, ...read } = inputs;
    const step = plan(device, (given) => model.base.forward({ ...tokens, ...given } as TokenBatch, INFERENCE), read);
    const values = Object.fromEntries(
      await Promise.all(Object.entries(read).map(async ([key, tensor]) => [key, await tensor.data()])),
    ) as InputValues;
    step.run(values);
    await device.synchronize();
    evaluation['planMs'] = await time(() => step.run(values), 5);
    evaluation['tokensPerSecond'] = (batchSize * length * 1e3) / (evaluation['planMs'] as number);
    step.dispose();
  } catch (error) {
    evaluation['error'] = String((error as Error).stack).slice(0, 900);
  }
  console.log(JSON.stringify(evaluation));
  save();
  tokens.dispose();
  dispose([labels, random, learningRate] as (Tensor | Scalar)[]);
}
process.exit(0);
