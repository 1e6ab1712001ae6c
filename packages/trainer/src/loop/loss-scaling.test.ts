import { mul, scalar, variable, type Scalar } from '@tensorflow/tfjs-core';
import { openDevice } from '@qlora-js/kernels';
import { adapterStateDict, type PeftModel } from '@qlora-js/lora';
import { describe, expect, it } from 'vitest';
import { trainingArguments } from '../arguments/training-arguments';
import { sequenceClassifier } from '../model/sequence-classifier';
import { collator, PAD, tinyClassifier, tinyRows } from '../testing/tiny-classifier';
import { Trainer } from './trainer';

interface Run {
  /** Weights before each step and at the end. */
  readonly weights: readonly string[];
  readonly scales: readonly (number | undefined)[];
  readonly skipped: readonly (number | undefined)[];
  readonly losses: readonly number[];
}

const weightsOf = async (model: PeftModel): Promise<string> =>
  (await adapterStateDict(model))
    .map(({ name, bytes }) => `${name} ${Buffer.from(bytes).toString('base64')}`)
    .join('\n');

/** Four steps; in the one named, the loss is multiplied by 1e36: finite, but beyond float32 once it is scaled. */
async function run(
  backend: 'wasm' | 'webgpu',
  { fp16, overflowAt = -1, accumulation = 1 }: { fp16: boolean; overflowAt?: number; accumulation?: number },
): Promise<Run> {
  const device = await openDevice({ backend });
  const model = tinyClassifier();
  const classifier = sequenceClassifier(model, { padTokenId: PAD });
  const factor = variable(scalar(1), false);
  const weights: string[] = [];
  const trainer = new Trainer({
    model: {
      ...classifier,
      loss: (batch, context) => {
        const { loss, logits } = classifier.loss(batch, context);
        return { loss: mul<Scalar>(loss, factor), logits };
      },
    },
    device,
    args: trainingArguments({
      outputDir: 'unused',
      learningRate: 5e-3,
      perDeviceTrainBatchSize: 6 / accumulation,
      gradientAccumulationSteps: accumulation,
      numTrainEpochs: 1,
      loggingSteps: 1,
      fp16,
    }),
    trainDataset: tinyRows(24),
    collator: collator(),
    callbacks: [
      {
        onStepBegin: async ({ state }) => {
          weights.push(await weightsOf(model));
          const value = scalar(state.globalStep === overflowAt ? 1e36 : 1);
          factor.assign(value);
          value.dispose();
        },
      },
    ],
  });
  await trainer.train();
  weights.push(await weightsOf(model));
  const rows = trainer.state.logHistory.filter((row) => row['loss'] !== undefined);
  factor.dispose();
  model.dispose();
  device.dispose();
  return {
    weights,
    scales: rows.map((row) => row['loss_scale']),
    skipped: rows.map((row) => row['skipped_steps']),
    losses: rows.map((row) => row['loss']!),
  };
}

describe.each(['wasm', 'webgpu'] as const)('fp16 on %s', (backend) => {
  it('changes no bit where nothing overflows', async () => {
    const plain = await run(backend, { fp16: false });
    const scaled = await run(backend, { fp16: true });
    expect(scaled.weights.at(-1)).toBe(plain.weights.at(-1));
    expect(scaled.losses).toEqual(plain.losses);
    expect(scaled.scales).toEqual([65_536, 65_536, 65_536, 65_536]);
    expect(plain.scales).toEqual([undefined, undefined, undefined, undefined]);
  });

  it.each([1, 2])(
    'leaves a step that overflows out, halves the scale, counts it and goes on; window of %d',
    async (accumulation) => {
      const { weights, scales, skipped, losses } = await run(backend, { fp16: true, overflowAt: 2, accumulation });
      expect(weights[3]).toBe(weights[2]);
      expect(weights[2]).not.toBe(weights[1]);
      expect(weights[4]).not.toBe(weights[3]);
      expect(scales).toEqual([65_536, 65_536, 32_768, 32_768]);
      expect(skipped).toEqual([0, 0, 1, 1]);
      expect(losses[2]).toBeGreaterThan(1e35);
      expect(losses[3]).toBeLessThan(10);
    },
  );
});
