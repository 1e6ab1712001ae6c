import { openDevice, type BackendName } from '@qlora-js/kernels';
import { adapterStateDict } from '@qlora-js/lora';
import { expect, it } from 'vitest';
import { trainingArguments } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import { sequenceClassifier } from '../model/sequence-classifier';
import { collator, PAD, tinyClassifier, tinyRows } from '../testing/tiny-classifier';
import { Trainer } from './trainer';

interface Run {
  readonly losses: readonly number[];
  readonly accuracy: number;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** Trains a 4-bit model with dropout and the 8-bit optimiser: every op of the stack, small. */
async function trained(
  backend: BackendName,
  how: Partial<TrainingArguments> & { planned?: boolean } = {},
): Promise<Run> {
  const { planned = false, ...args } = how;
  const device = await openDevice({ backend });
  const model = tinyClassifier({ quantised: true });
  const trainer = new Trainer({
    model: sequenceClassifier(model, { padTokenId: PAD }),
    args: trainingArguments({
      outputDir: 'unused',
      learningRate: 5e-3,
      perDeviceTrainBatchSize: 6,
      numTrainEpochs: 1,
      loggingSteps: 1,
      optim: 'paged_adamw_8bit',
      ...args,
    }),
    ...(planned ? { device } : {}),
    trainDataset: tinyRows(18),
    evalDataset: tinyRows(9, 1),
    collator: collator(),
  });
  await trainer.train();
  const accuracy = (await trainer.evaluate())['eval_accuracy']!;
  const weights = new Map(
    (await adapterStateDict(model)).map(({ name, bytes }) => [name, new Float32Array(bytes.slice().buffer)]),
  );
  model.dispose();
  device.dispose();
  return { losses: trainer.state.logHistory.flatMap((row) => row['loss'] ?? []), accuracy, weights };
}

function expectSame(webgpu: Run, wasm: Run, { digits, weights } = { digits: 4, weights: 2e-2 }): void {
  expect(webgpu.losses).toHaveLength(3);
  webgpu.losses.forEach((loss, step) => expect(loss).toBeCloseTo(wasm.losses[step]!, digits));
  expect(webgpu.accuracy).toBe(wasm.accuracy);
  for (const [name, values] of webgpu.weights) {
    const reference = wasm.weights.get(name)!;
    const difference = Math.sqrt(values.reduce((sum, value, i) => sum + (value - reference[i]!) ** 2, 0));
    const size = Math.sqrt(reference.reduce((sum, value) => sum + value ** 2, 0));
    expect(difference / size, name).toBeLessThan(weights);
  }
}

it('webgpu trains to what wasm trains to, dropout masks included, op by op and by recorded plans', async () => {
  const wasm = await trained('wasm');
  expectSame(await trained('webgpu'), wasm);
  expectSame(await trained('webgpu', { planned: true }), wasm);
});

it('activations that wait in float16 train to the same within a rounding', async () => {
  const wasm = await trained('wasm');
  // Adam divides by the gradient's size, so that a small gradient's rounding weighs as much as a large one's.
  const near = { digits: 3, weights: 0.1 };
  const half = await trained('webgpu', { planned: true, activationDtype: 'float16' });
  expectSame(half, wasm, near);
  expect(half.losses).not.toEqual((await trained('webgpu', { planned: true })).losses);
  expectSame(await trained('wasm', { activationDtype: 'float16' }), wasm, near);
});

it('recorded plans accumulate a window of micro-batches, checkpointed or not', async () => {
  const window = { perDeviceTrainBatchSize: 2, gradientAccumulationSteps: 3 };
  const wasm = await trained('wasm', window);
  expectSame(await trained('webgpu', { ...window, planned: true }), wasm);
  expectSame(await trained('webgpu', { ...window, planned: true, gradientCheckpointing: true }), wasm);
});
