import { rowStream, shuffleRows, type RowStream } from '@qlora-js/data';
import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingArguments } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import { MemoryCheckpoints } from '../checkpoints/store';
import { sequenceClassifier } from '../model/sequence-classifier';
import { bitsOf } from '../testing/runs';
import { collator, PAD, tinyClassifier, tinyRows } from '../testing/tiny-classifier';
import { StreamedData } from './streamed-data';
import { Trainer } from './trainer';

let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'wasm' });
});
afterAll(() => device.dispose());

const rows = tinyRows(22).toRows();
const args = (more: Partial<TrainingArguments>): TrainingArguments =>
  trainingArguments({
    outputDir: 'unused',
    learningRate: 5e-3,
    perDeviceTrainBatchSize: 4,
    disableTqdm: true,
    ...more,
  });
const stream = (length: number | undefined = rows.length): RowStream =>
  shuffleRows(
    rowStream(() => rows, length === undefined ? {} : { length }),
    { bufferSize: 6, seed: 2 },
  );
const unknown = shuffleRows(
  rowStream(() => rows),
  { bufferSize: 6, seed: 2 },
);

interface Trained {
  readonly bits: string;
  readonly epochs: readonly number[];
  readonly steps: number;
}

async function trained(
  trainDataset: RowStream,
  more: Partial<TrainingArguments>,
  checkpoints = new MemoryCheckpoints(),
): Promise<Trained> {
  const model = tinyClassifier();
  const trainer = new Trainer({
    model: sequenceClassifier(model, { padTokenId: PAD }),
    args: args({ loggingSteps: 1, ...more }),
    trainDataset,
    collator: collator(),
    checkpoints,
    log: () => undefined,
  });
  const { globalStep } = await trainer.train();
  const bits = await bitsOf(model);
  model.dispose();
  return {
    bits,
    steps: globalStep,
    epochs: trainer.state.logHistory.flatMap((row) => ('loss' in row ? row['epoch']! : [])),
  };
}

describe('a stream of known length', () => {
  it('is trained on for epochs, each in an order of its own, the last window of which may be short', async () => {
    const { steps, epochs } = await trained(stream(), { numTrainEpochs: 2, gradientAccumulationSteps: 4 });
    // 22 rows are 6 micro-batches, 4 and then 2 of them a step.
    expect(steps).toBe(4);
    [4 / 6, 1, 1 + 4 / 6, 2].forEach((epoch, step) => expect(epochs[step]).toBeCloseTo(epoch, 12));
  });

  it('goes on from a checkpoint in the middle of an epoch, to the same bits', async () => {
    const whole = await trained(stream(), { numTrainEpochs: 2 });
    const checkpoints = new MemoryCheckpoints();
    const saved = { saveStrategy: 'steps', saveSteps: 2 } as const;
    await trained(stream(), { ...saved, numTrainEpochs: 2 }, checkpoints);
    for (const name of [...checkpoints.saved.keys()]) if (name !== 'checkpoint-8') await checkpoints.remove(name);
    const resumed = await trained(stream(), { ...saved, numTrainEpochs: 2, resumeFromCheckpoint: true }, checkpoints);
    expect([whole.steps, resumed.bits]).toEqual([12, whole.bits]);
    const other = shuffleRows(rowStream(() => rows, { length: 22, fingerprint: 'b' }));
    await expect(
      trained(other, { ...saved, numTrainEpochs: 2, resumeFromCheckpoint: true }, checkpoints),
    ).rejects.toThrow(/data was .*\(rows that were trained on would come again/);
  });

  it('leaves out a last micro-batch that is not full, where that is asked for', () => {
    const data = new StreamedData(stream(), args({ dataloaderDropLast: true, numTrainEpochs: 1 }), collator());
    expect(data.length).toEqual({ steps: 5, epochs: 1 });
  });
});

describe('a stream of unknown length', () => {
  it('is gone through again until maxSteps, whose share an epoch is', async () => {
    const { steps, epochs } = await trained(unknown, { maxSteps: 8 });
    expect(steps).toBe(8);
    // Six windows are a pass; then the next epoch begins.
    expect(epochs).toEqual([1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 1 + 1 / 8, 1 + 2 / 8]);
  });
});

it.each([
  [unknown, {}, /the length of the stream is not known, so maxSteps is needed/],
  [stream(), { groupByLength: true }, /groupByLength needs all rows before the first step/],
  [rowStream(() => [], { length: 0 }), {}, /a stream of 0 rows has no micro-batch of 4/],
  [rowStream(() => []), { maxSteps: 2 }, /epoch 0 of the stream has no micro-batch of 4 rows/],
  [
    rowStream(() => rows, { length: 30 }),
    { numTrainEpochs: 1 },
    /the stream ended after 22 rows, but its length is 30/,
  ],
])('refuses %j with %j', async (rowsOf, more, message) => {
  await expect(trained(rowsOf, more)).rejects.toThrow(message);
});
