import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mul, tensor2d, type Scalar } from '@tensorflow/tfjs-core';
import { openDevice, type Device } from '@qlora-js/kernels';
import { adapterStateDict, type PeftModel } from '@qlora-js/lora';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingArguments } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import type { TrainerCallback } from '../callbacks/callback';
import { SpeedMemCallback } from '../callbacks/speed-memory';
import { MemoryCheckpoints, type CheckpointStore } from '../checkpoints/store';
import { sequenceClassifier } from '../model/sequence-classifier';
import { folderCheckpoints } from '../node/folder-checkpoints';
import { collator, PAD, tinyClassifier, tinyRows, type TinyClassifierOptions } from '../testing/tiny-classifier';
import { Trainer } from './trainer';

interface Setup {
  readonly args?: Partial<TrainingArguments>;
  readonly model?: TinyClassifierOptions;
  readonly callbacks?: readonly TrainerCallback[];
  readonly checkpoints?: CheckpointStore;
  readonly rows?: number;
  readonly signal?: AbortSignal;
}

const ARGUMENTS = {
  outputDir: 'unused',
  learningRate: 5e-3,
  perDeviceTrainBatchSize: 8,
  numTrainEpochs: 2,
  loggingSteps: 2,
  seed: 1,
};

function setup({
  args = {},
  model = {},
  callbacks = [],
  checkpoints = new MemoryCheckpoints(),
  rows = 24,
  signal,
}: Setup = {}): { trainer: Trainer; model: PeftModel } {
  const peft = tinyClassifier(model);
  const trainer = new Trainer({
    model: sequenceClassifier(peft, { padTokenId: PAD }),
    args: trainingArguments({
      ...ARGUMENTS,
      ...args,
    }),
    trainDataset: tinyRows(rows),
    evalDataset: tinyRows(12, 1),
    collator: collator(),
    callbacks,
    checkpoints,
    log: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  });
  return { trainer, model: peft };
}

const weights = async (model: PeftModel): Promise<string> =>
  (await adapterStateDict(model))
    .map(({ name, bytes }) => `${name} ${Buffer.from(bytes).toString('base64')}`)
    .join('\n');

describe.each(['cpu', 'wasm'] as const)('Trainer on %s', (backend) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend });
  });
  afterAll(() => device.dispose());

  it('gives the same weights bit for bit for the same seed, and others for another', async () => {
    const run = async (seed: number): Promise<string> => {
      const { trainer, model } = setup({ args: { seed } });
      await trainer.train();
      return weights(model);
    };
    const first = await run(1);
    expect(await run(1)).toBe(first);
    expect(await run(2)).not.toBe(first);
  });

  it('takes the mean over an accumulation window, however it is split', async () => {
    const run = async (perDeviceTrainBatchSize: number, gradientAccumulationSteps: number): Promise<number[]> => {
      const { trainer } = setup({
        args: { perDeviceTrainBatchSize, gradientAccumulationSteps, numTrainEpochs: 1, loggingSteps: 1 },
        model: { dropout: 0 },
      });
      await trainer.train();
      return trainer.state.logHistory.flatMap((row) =>
        row['grad_norm'] === undefined ? [] : [row['loss']!, row['grad_norm']],
      );
    };
    const whole = await run(8, 1);
    expect(whole).toHaveLength(6);
    for (const split of [await run(4, 2), await run(2, 4)]) {
      split.forEach((value, i) => expect(value).toBeCloseTo(whole[i]!, 4));
    }
  });

  it('does not depend on gradient checkpointing, dropout included', async () => {
    const run = async (gradientCheckpointing: boolean): Promise<string> => {
      const { trainer, model } = setup({ args: { gradientCheckpointing, numTrainEpochs: 1 } });
      await trainer.train();
      return weights(model);
    };
    expect(await run(true)).toBe(await run(false));
  });

  it('gives back every tensor but the model itself', async () => {
    const { trainer } = setup({ args: { evalStrategy: 'epoch', loadBestModelAtEnd: true, optim: 'paged_adamw_8bit' } });
    const before = device.memory().tensors;
    await trainer.train();
    expect(device.memory().tensors).toBe(before);
  });
});

describe('Trainer on wasm', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
  });
  afterAll(() => device.dispose());

  it("emits transformers' events in transformers' order", async () => {
    const events: string[] = [];
    const names = [
      'onTrainBegin',
      'onEpochBegin',
      'onStepBegin',
      'onSubstepEnd',
      'onPreOptimizerStep',
      'onOptimizerStep',
      'onStepEnd',
      'onLog',
      'onEvaluate',
      'onSave',
      'onEpochEnd',
      'onTrainEnd',
    ] as const;
    const recorder: TrainerCallback = Object.fromEntries(names.map((name) => [name, () => void events.push(name)]));
    const { trainer } = setup({
      args: {
        numTrainEpochs: 1,
        perDeviceTrainBatchSize: 8,
        gradientAccumulationSteps: 2,
        loggingSteps: 1,
        evalStrategy: 'epoch',
        saveStrategy: 'epoch',
      },
      rows: 16,
      callbacks: [recorder],
    });
    await trainer.train();
    expect(events).toEqual([
      'onTrainBegin',
      'onEpochBegin',
      'onStepBegin',
      'onSubstepEnd',
      'onPreOptimizerStep',
      'onOptimizerStep',
      'onStepEnd',
      'onLog',
      'onEpochEnd',
      'onLog',
      'onEvaluate',
      'onSave',
      'onLog',
      'onTrainEnd',
    ]);
  });

  it('logs the learning rate used: 0 first under warm-up, then the line down', async () => {
    const { trainer } = setup({ args: { learningRate: 1e-3, warmupSteps: 2, numTrainEpochs: 2, loggingSteps: 1 } });
    const { globalStep } = await trainer.train();
    expect(globalStep).toBe(6);
    const rates = trainer.state.logHistory.flatMap((row) => row['learning_rate'] ?? []);
    [0, 0.5e-3, 1e-3, 0.75e-3, 0.5e-3, 0.25e-3].forEach((rate, i) => expect(rates[i]).toBeCloseTo(rate, 12));
  });

  it('counts steps, epochs and tokens; a last window may be short', async () => {
    const { trainer } = setup({
      args: { perDeviceTrainBatchSize: 5, gradientAccumulationSteps: 2, numTrainEpochs: 2 },
      rows: 24,
    });
    await trainer.train();
    const tokens = tinyRows(24)
      .column('input_ids')
      .reduce((sum, ids) => sum + ids.length, 0);
    expect(trainer.state).toMatchObject({ globalStep: 6, epoch: 2, numInputTokensSeen: 2 * tokens });
  });

  it('learns: the tokens that tell the label are found', async () => {
    const { trainer } = setup({
      args: {
        numTrainEpochs: 25,
        evalStrategy: 'epoch',
        loadBestModelAtEnd: true,
        metricForBestModel: 'f1',
        loggingSteps: 50,
        optim: 'adamw_torch',
      },
      rows: 90,
      model: { dropout: 0 },
    });
    await trainer.train();
    expect((await trainer.evaluate())['eval_accuracy']).toBeGreaterThan(0.7);
  });

  it('loads the best checkpoint at the end and keeps it within the limit', async () => {
    const checkpoints = new MemoryCheckpoints();
    const { trainer, model } = setup({
      args: {
        numTrainEpochs: 4,
        evalStrategy: 'epoch',
        loadBestModelAtEnd: true,
        metricForBestModel: 'loss',
        saveTotalLimit: 1,
      },
      checkpoints,
    });
    const output = await trainer.train();
    const losses = trainer.state.logHistory.flatMap((row) => row['eval_loss'] ?? []);
    expect(output.bestMetric).toBe(Math.min(...losses));
    expect([...checkpoints.saved.keys()]).toEqual([output.bestModelCheckpoint]);
    const saved = checkpoints.saved.get(output.bestModelCheckpoint!)!;
    expect([...saved.keys()].sort()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'checkpoint.json',
      'trainer_state.json',
      'training_state.json',
      'training_state.safetensors',
    ]);
    expect((await trainer.evaluate())['eval_loss']).toBeCloseTo(output.bestMetric!, 6);
    expect(model.activeAdapters).toEqual(['default']);
  });

  it('writes checkpoints as folders, whole or not at all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trainer-'));
    try {
      const { trainer } = setup({
        args: { saveStrategy: 'epoch', outputDir: folder },
        checkpoints: folderCheckpoints(folder),
      });
      await trainer.train();
      expect((await readdir(folder)).sort()).toEqual(['checkpoint-3', 'checkpoint-6']);
      const state = JSON.parse(await readFile(join(folder, 'checkpoint-6', 'trainer_state.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      expect(state).toMatchObject({ global_step: 6, epoch: 2, max_steps: 6, train_batch_size: 8, best_metric: null });
      expect(Object.keys(state)).toEqual([...Object.keys(state)].sort());
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses a folder it cannot write to before the first step', async () => {
    let steps = 0;
    // Under a file there can be no folder, whoever asks.
    const folder = join(fileURLToPath(import.meta.url), 'runs');
    const { trainer } = setup({
      args: { saveStrategy: 'epoch' },
      checkpoints: folderCheckpoints(folder),
      callbacks: [{ onStepBegin: () => void steps++ }],
    });
    await expect(trainer.train()).rejects.toThrow(folder);
    expect(steps).toBe(0);
  });

  it('stops at a loss that is not finite, names the step, and leaves the weights as they were', async () => {
    const checkpoints = new MemoryCheckpoints();
    let spoiled = '';
    const { trainer, model } = setup({
      checkpoints,
      args: { saveStrategy: 'steps', saveSteps: 1 },
      callbacks: [
        {
          onStepBegin: async ({ state }) => {
            if (state.globalStep !== 2) return;
            spoil(model);
            spoiled = await weights(model);
          },
        },
      ],
    });
    await expect(trainer.train()).rejects.toMatchObject({
      code: 'NON_FINITE',
      message: expect.stringContaining('step 2: the loss is NaN') as string,
    });
    expect([...checkpoints.saved.keys()]).toEqual(['checkpoint-1', 'checkpoint-2']);
    expect(await weights(model)).toBe(spoiled);
  });

  it('lets a NaN evaluation spoil no later one, and never takes it for the best', async () => {
    const run = async (spoilt: boolean): Promise<{ losses: number[]; best: number | null }> => {
      const peft = tinyClassifier();
      const classifier = sequenceClassifier(peft, { padTokenId: PAD });
      let evaluations = 0;
      const trainer = new Trainer({
        model: {
          ...classifier,
          loss: (batch, context) => {
            const output = classifier.loss(batch, context);
            return spoilt && evaluations === 0 && !context.training
              ? { ...output, loss: mul<Scalar>(output.loss, NaN) }
              : output;
          },
        },
        args: trainingArguments({ ...ARGUMENTS, evalStrategy: 'epoch', loadBestModelAtEnd: true }),
        trainDataset: tinyRows(24),
        evalDataset: tinyRows(12, 1),
        collator: collator(),
        callbacks: [{ onEvaluate: () => void evaluations++ }],
      });
      const { bestMetric } = await trainer.train();
      peft.dispose();
      return { losses: trainer.state.logHistory.flatMap((row) => row['eval_loss'] ?? []), best: bestMetric };
    };
    const [spoilt, whole] = [await run(true), await run(false)];
    expect(spoilt.losses[0]).toBeNaN();
    expect(spoilt.losses[1]).toBe(whole.losses[1]);
    expect(spoilt.best).toBe(whole.losses[1]);
  });

  it.each([1, 8])(
    'neither evaluates nor saves weights that a step has left non-finite; saved every %d',
    async (saveSteps) => {
      const checkpoints = new MemoryCheckpoints();
      const { trainer } = setup({
        checkpoints,
        // The last step's loss is that of the weights before it, which are finite.
        args: {
          learningRate: 5e38,
          maxSteps: 1,
          saveStrategy: 'steps',
          saveSteps,
          evalStrategy: 'steps',
          evalSteps: 1,
        },
      });
      await expect(trainer.train()).rejects.toMatchObject({
        code: 'NON_FINITE',
        message: expect.stringMatching(/after step 1 the weight '.*lora.*' holds (NaN|-?Infinity)/) as string,
      });
      expect(checkpoints.saved.size).toBe(0);
      expect(trainer.state).toMatchObject({ bestMetric: null, logHistory: [] });
    },
  );

  it('stops between steps when it is told to', async () => {
    const abort = new AbortController();
    const { trainer } = setup({
      signal: abort.signal,
      callbacks: [{ onStepEnd: ({ state }) => state.globalStep === 2 && abort.abort() } as TrainerCallback],
    });
    await expect(trainer.train()).rejects.toMatchObject({
      code: 'STOPPED',
      message: expect.stringMatching(
        /stopped after step 2; checkpoint-2 in memory .*resumeFromCheckpoint: true/,
      ) as string,
    });
    expect(trainer.state.globalStep).toBe(2);
  });

  it('SpeedMemCallback divides tokens by the seconds of the epoch', async () => {
    let clock = 0;
    const speed = new SpeedMemCallback({ device, approxTrainTokens: 24 * 32, now: () => (clock += 2000) });
    const { trainer } = setup({ callbacks: [speed] });
    await trainer.train();
    const tokens = tinyRows(24)
      .column('input_ids')
      .reduce((sum, ids) => sum + ids.length, 0);
    expect(speed.epochs).toHaveLength(2);
    expect(speed.epochs[0]).toMatchObject({
      epoch: 1,
      epoch_time_sec: 2,
      tokens_per_sec_est: (24 * 32) / 2,
      real_tokens_per_sec: tokens / 2,
    });
    expect(speed.epochs[1]!['gpu_max_mem_allocated_GiB']).toBeGreaterThan(1e-5);
    expect(speed.totalTimeSec).toBe(10);
  });

  it('trains a 4-bit base with the 8-bit paged optimiser', async () => {
    const { trainer } = setup({ model: { quantised: true }, args: { optim: 'paged_adamw_8bit', numTrainEpochs: 6 } });
    await trainer.train();
    const losses = trainer.state.logHistory.flatMap((row) => row['loss'] ?? []);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.05);
  });
});

function spoil(model: PeftModel): void {
  for (const [name, parameter] of model.namedParameters()) {
    if (name.includes('h.0.attn.c_attn.lora_A'))
      parameter.assign(tensor2d(new Float32Array(parameter.value.size).fill(NaN), parameter.shape as [number, number]));
  }
}
