// A whole QLoRA step of GPT-2 medium's shape, or SmolLM2-135M's, eager and as a recorded plan, evaluation, memory, time by kernel.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/step.ts [--model smollm2] [--small] [--brief] [--without FEATURE,...]
//   --without  features of WebGPU that are not asked for, as a device that lacks them; they stand in the result's name
// Dawn toggles in QLORA_DAWN_TOGGLES
import { mkdirSync, writeFileSync } from 'node:fs';
import { dispose, tidy } from '@tensorflow/tfjs-core';
import type { TokenBatch } from '@qlora-js/gpt2';
import { INFERENCE, openDevice, plan, type InputValues, type Step } from '@qlora-js/kernels';
import { driverBytes } from './driver-memory';
import type { PeftModel } from '@qlora-js/lora';
import type { SequenceClassification } from '@qlora-js/gpt2';
import { GPT2_MEDIUM, randomModel } from './gpt2-medium';
import { randomSmolLm2, SMOLLM2_135M } from './smollm2';
import { TrainingStep } from './training-step';
import { collectGpuErrors, exitWithGpuErrors } from './gpu-errors';

const small = process.argv.includes('--small');
/** Plans alone, without checkpointing. */
const brief = process.argv.includes('--brief');
const dawnToggles = (process.env['QLORA_DAWN_TOGGLES'] ?? '').split(',').filter((name) => name !== '');
/** What the driver counts before this process has a device. */
const driverIdle = driverBytes();
const withoutFeatures = process.argv.includes('--without')
  ? process.argv[process.argv.indexOf('--without') + 1]!.split(',')
  : [];
const device = await openDevice({ backend: 'webgpu', dawnToggles, withoutFeatures });
const gpuErrors = collectGpuErrors(device);
const folder = process.env['OUT'] ?? 'bench/results';
mkdirSync(folder, { recursive: true });
const smollm2 = process.argv.includes('smollm2');
const gpt2 = small ? { layers: 2, width: 128, heads: 2, vocabulary: 50_257 } : GPT2_MEDIUM;
const size = smollm2 ? { ...SMOLLM2_135M, ...(small ? { num_hidden_layers: 2 } : {}) } : gpt2;
console.log(device.info.adapter, device.info.driver, device.info.features.join(' '));
let started = performance.now();
const model: PeftModel<SequenceClassification> = smollm2
  ? randomSmolLm2(size as typeof SMOLLM2_135M)
  : randomModel(gpt2);
await device.synchronize();
console.log(
  `model in ${((performance.now() - started) / 1e3).toFixed(1)} s, ${device.memory().currentBytes / 2 ** 20} MiB`,
);
const training = new TrainingStep(model);
const { trainable, scaler } = training;

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

/**
 * Milliseconds that `run` keeps the host busy: encoding and submitting, begun each time with a GPU that has nothing to do,
 * since a queue that is full makes the host wait within the same calls. The median.
 */
async function timeIssuing(run: () => void, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await device.synchronize();
    const from = performance.now();
    run();
    times.push(performance.now() - from);
  }
  await device.synchronize();
  return median(times);
}

const report: Record<string, unknown>[] = [];
const kernels: Record<string, unknown> = {};
const save = () =>
  writeFileSync(
    `${folder}/step${smollm2 ? '-smollm2' : ''}${small ? '-small' : ''}${dawnToggles.map((name) => `-${name}`).join('')}${withoutFeatures.map((name) => `-without-${name}`).join('')}.json`,
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
const shapes = small ? [[2, 24]] : [[16, 24], ...(smollm2 ? [[32, 24]] : []), [16, 128], [64, 128]];
for (const [batchSize, length] of shapes as [number, number][]) {
  const name = `${batchSize}x${length}`;
  const { tokens, inputs } = training.makeBatch(batchSize, length);
  for (const { checkpointing, activationDtype } of brief ? MEMORIES.slice(0, 1) : MEMORIES) {
    const row: Record<string, unknown> = { shape: name, checkpointing, activationDtype };
    report.push(row);
    trainable.setGradientCheckpointing(checkpointing);
    trainable.setActivationDtype(activationDtype);
    const eagerStep = () => dispose(Object.values(training.run(inputs)));
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
      step = plan(device, training.run, inputs, { name: `step ${name}`, batch: batchSize });
      row['recordMs'] = performance.now() - started;
      started = performance.now();
      await step.compile();
      row['compileMs'] = performance.now() - started;
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
      row['issueMs'] = await timeIssuing(run, 9);
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
    const { labels: _labels, random: _random, randomAfter: _after, learningRate: _rate, ...read } = inputs;
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
  dispose([inputs.labels, inputs.random, inputs.randomAfter, inputs.learningRate]);
}
await exitWithGpuErrors(device, gpuErrors);
