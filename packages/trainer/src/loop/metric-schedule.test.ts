import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainingArguments } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import { MemoryCheckpoints } from '../checkpoints/store';
import { sequenceClassifier } from '../model/sequence-classifier';
import { collator, PAD, tinyClassifier, tinyRows } from '../testing/tiny-classifier';
import { Trainer } from './trainer';

let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'wasm' });
});
afterAll(() => device.dispose());

const PLATEAU: Partial<TrainingArguments> = {
  outputDir: 'unused',
  learningRate: 1e-3,
  perDeviceTrainBatchSize: 4,
  evalStrategy: 'steps',
  evalSteps: 1,
  loggingSteps: 1,
  lrSchedulerType: 'reduce_lr_on_plateau',
  lrSchedulerKwargs: { mode: 'max', patience: 1, factor: 0.5 },
  metricForBestModel: 'scripted',
  disableTqdm: true,
};

/** Learning rates of steps whose evaluations come to these metrics. */
async function rates(
  scripted: readonly number[],
  args: Partial<TrainingArguments>,
  checkpoints = new MemoryCheckpoints(),
) {
  const model = tinyClassifier();
  const metrics = scripted[Symbol.iterator]();
  const trainer = new Trainer({
    model: sequenceClassifier(model, { padTokenId: PAD }),
    args: trainingArguments({ outputDir: 'unused', ...PLATEAU, ...args }),
    trainDataset: tinyRows(24),
    evalDataset: tinyRows(4, 1),
    collator: collator(),
    checkpoints,
    computeMetrics: () => ({ scripted: metrics.next().value! }),
    log: () => undefined,
  });
  await trainer.train();
  model.dispose();
  return trainer.state.logHistory.flatMap((row) => row['learning_rate'] ?? []);
}

it('the rate falls while evaluations get no better, from the step after', async () => {
  expect(await rates([0.5, 0.4, 0.4, 0.6, 0.5, 0.5], { maxSteps: 6 })).toEqual([1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 5e-4]);
});

it('goes on from a checkpoint as if it had never stopped', async () => {
  const checkpoints = new MemoryCheckpoints();
  const saved = { saveStrategy: 'steps', saveSteps: 1 } as const;
  await rates([0.5, 0.4], { ...saved, maxSteps: 2 }, checkpoints);
  const resumed = { ...saved, maxSteps: 4, resumeFromCheckpoint: true, acceptChanges: ['maxSteps'] };
  expect(await rates([0.4, 0.4], resumed, checkpoints)).toEqual([1e-3, 1e-3, 1e-3, 5e-4]);
});

it('refuses to go by evaluations that there are none of, or the wrong way', () => {
  expect(() => trainingArguments({ outputDir: 'x', ...PLATEAU, evalStrategy: 'no' })).toThrow(
    /evalStrategy is "no", but 'steps' or 'epoch' under lrSchedulerType 'reduce_lr_on_plateau' is needed/,
  );
  expect(() => trainingArguments({ outputDir: 'x', ...PLATEAU, lrSchedulerKwargs: {} })).toThrow(
    /mode 'max', as scripted goes, is needed/,
  );
  expect(
    trainingArguments({ outputDir: 'x', evalStrategy: 'epoch', lrSchedulerType: 'greedy' }).metricForBestModel,
  ).toBe('loss');
});
