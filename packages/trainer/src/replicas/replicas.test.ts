import { Worker } from 'node:worker_threads';
import { add, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { openDevice, type Device } from '@qlora-js/kernels';
import { adapterStateDict, type PeftModel } from '@qlora-js/lora';
import type { CollatedBatch } from '@qlora-js/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingArguments } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import { evaluationBatches } from '../evaluation/batches';
import { evaluate } from '../evaluation/evaluate';
import { windowGradients, type WindowGradients } from '../steps/gradients';
import { Trainer } from '../loop/trainer';
import { sequenceClassifier } from '../model/sequence-classifier';
import { mainThreadPort, workerLink } from '../node/replicas';
import { startTinyReplicas, tinyReplicaWorker } from '../testing/start-tiny-replicas';
import { collator, PAD, tinyClassifier, tinyRows, type TinyClassifierOptions } from '../testing/tiny-classifier';
import { Replicas } from './replicas';

const rows = tinyRows(24);
const batch = (from: number, to: number): CollatedBatch =>
  collator().collate(Array.from({ length: to - from }, (_, i) => rows.row(from + i)));

const hostValues = async ({ loss, gradients }: WindowGradients): Promise<Map<string, Float32Array>> => {
  const values = new Map([['loss', (await loss.data()) as Float32Array]]);
  for (const [name, gradient] of gradients) values.set(name, (await gradient.data()) as Float32Array);
  for (const held of [loss, ...gradients.values()]) held.dispose();
  return values;
};

/** Equal but for the order of float32 sums. */
function expectNear(
  seen: ReadonlyMap<string, Float32Array>,
  wanted: ReadonlyMap<string, Float32Array>,
  within: number,
) {
  expect([...seen.keys()]).toEqual([...wanted.keys()]);
  for (const [name, values] of wanted) {
    const difference = Math.hypot(...values.map((value, i) => value - seen.get(name)![i]!));
    expect(difference, name).toBeLessThanOrEqual(within * Math.hypot(...values));
  }
}

interface Run {
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly bits: string;
  readonly losses: readonly number[];
  readonly scales: readonly number[];
}

const STEPS: Partial<TrainingArguments> = {
  learningRate: 5e-3,
  perDeviceTrainBatchSize: 8,
  numTrainEpochs: 2,
  loggingSteps: 1,
  optim: 'paged_adamw_8bit',
};

async function trained(
  model: TinyClassifierOptions,
  replicas?: Replicas,
  args: Partial<TrainingArguments> = {},
): Promise<Run> {
  const peft = tinyClassifier(model);
  const trainer = new Trainer({
    model: sequenceClassifier(peft, { padTokenId: PAD }),
    args: trainingArguments({ outputDir: 'unused', ...STEPS, ...args }),
    trainDataset: rows,
    evalDataset: tinyRows(12, 1),
    collator: collator(),
    ...(replicas === undefined ? {} : { replicas }),
  });
  await trainer.train();
  const state = await stateOf(peft);
  peft.dispose();
  const logged = (key: string): number[] => trainer.state.logHistory.flatMap((row) => row[key] ?? []);
  return { ...state, losses: logged('loss'), scales: logged('loss_scale') };
}

async function stateOf(peft: PeftModel): Promise<Pick<Run, 'weights' | 'bits'>> {
  const state = await adapterStateDict(peft);
  return {
    weights: new Map(state.map(({ name, bytes }) => [name, new Float32Array(bytes.slice().buffer)])),
    bits: state.map(({ bytes }) => Buffer.from(bytes).toString('base64')).join(),
  };
}

describe('replicas without dropout', () => {
  const model: TinyClassifierOptions = { quantised: true, dropout: 0 };
  let device: Device;
  let one: Replicas;
  let three: Replicas;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
    [one, three] = await Promise.all([startTinyReplicas({ model }), startTinyReplicas({ model }, 3)]);
  });
  afterAll(async () => {
    await Promise.all([one.dispose(), three.dispose()]);
    device.dispose();
  });

  it.each([
    ['one batch', [batch(0, 8)]],
    ['a window of uneven micro-batches', [batch(0, 8), batch(8, 11), batch(11, 12)]],
    ['fewer rows than threads', [batch(0, 2)]],
    ['a single row', [batch(3, 4)]],
  ])('compute the gradients of one thread: %s', async (_, window) => {
    const peft = tinyClassifier(model);
    const classifier = sequenceClassifier(peft, { padTokenId: PAD });
    const variables = classifier.trainedVariables();
    const { tensors } = device.memory();
    const position = { seed: 1, step: 4 };
    const alone = await hostValues(windowGradients(classifier, variables, window, position));
    for (const replicas of [one, three]) {
      expectNear(
        await hostValues(await replicas.windowGradients(classifier, variables, window, position)),
        alone,
        1e-5,
      );
    }
    expect(device.memory().tensors).toBe(tensors);
    peft.dispose();
  });

  it('see what the main thread assigns between two steps', async () => {
    const peft = tinyClassifier(model);
    const classifier = sequenceClassifier(peft, { padTokenId: PAD });
    const variables = classifier.trainedVariables();
    const window = [batch(0, 8)];
    const before = await hostValues(await one.windowGradients(classifier, variables, window, { seed: 0, step: 0 }));
    tidy(() => variables.forEach(({ variable }) => variable.assign(add(variable as Tensor, 0.1))));
    const after = await hostValues(await one.windowGradients(classifier, variables, window, { seed: 0, step: 1 }));
    expectNear(after, await hostValues(windowGradients(classifier, variables, window, { seed: 0, step: 1 })), 1e-5);
    expect(after.get('loss')).not.toEqual(before.get('loss'));
    peft.dispose();
  });

  it.each<[string, Partial<TrainingArguments>]>([
    ['plain', { optim: 'adamw_torch' }],
    ['accumulating', { optim: 'adamw_torch', perDeviceTrainBatchSize: 3, gradientAccumulationSteps: 3 }],
    ['checkpointing', { optim: 'adamw_torch', gradientCheckpointing: true }],
  ])('train to the weights of one thread: %s', async (_, args) => {
    const alone = await trained(model, undefined, args);
    const shared = await trained(model, one, args);
    expect(alone.losses.length).toBeGreaterThan(4);
    shared.losses.forEach((loss, step) => expect(loss).toBeCloseTo(alone.losses[step]!, 5));
    // Adam divides by the gradient's size: a rounding of a small gradient is a visible step of its weight.
    expectNear(shared.weights, alone.weights, 1e-3);
  });

  it('scale the loss by powers of two, which changes no bit', async () => {
    const plain = await trained(model, one);
    const scaled = await trained(model, one, { fp16: true });
    expect(scaled.bits).toBe(plain.bits);
    expect(scaled.losses).toEqual(plain.losses);
    expect(new Set(scaled.scales)).toEqual(new Set([65_536]));
  });

  it('evaluate to the bits of one thread, with or without batches for every thread, and report each batch', async () => {
    const peft = tinyClassifier(model);
    const classifier = sequenceClassifier(peft, { padTokenId: PAD });
    for (const batchSize of [5, 24]) {
      const batches = evaluationBatches(rows, batchSize, collator());
      const { seconds: _, ...alone } = await evaluate(classifier, batches);
      const { tensors } = device.memory();
      for (const replicas of [one, three]) {
        const seen: number[] = [];
        const { seconds: _, ...shared } = await evaluate(classifier, batches, {
          replicas,
          onBatch: (done) => void seen.push(done),
        });
        expect(shared).toEqual(alone);
        expect(seen).toEqual(batches.map((_, index) => index + 1));
      }
      expect(device.memory().tensors).toBe(tensors);
    }
    peft.dispose();
  });

  it('refuse another model, naming the first variable that differs, and go on with their own', async () => {
    await expect(trained({ ...model, lora: { r: 2 } }, one)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(
        /trained variable 0 is .*lora_A.* \[2, 32\] here and .*lora_A.* \[4, 32\] there/,
      ) as string,
    });
    await trained(model, one, { maxSteps: 1 });
  });
});

describe('replicas with dropout', () => {
  const model: TinyClassifierOptions = { quantised: true };
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
  });
  afterAll(() => device.dispose());

  it('give the same bits for the same number of threads, from the same or from new ones', async () => {
    const replicas = await startTinyReplicas({ model }, 2);
    const first = await trained(model, replicas);
    expect((await trained(model, replicas)).bits).toBe(first.bits);
    await replicas.dispose();
    const others = await startTinyReplicas({ model }, 2);
    expect((await trained(model, others)).bits).toBe(first.bits);
    await others.dispose();
  });

  it('draw the masks that one thread draws, however many they are and however rows are split', async () => {
    const replicas = await startTinyReplicas({ model }, 2);
    const peft = tinyClassifier(model);
    const classifier = sequenceClassifier(peft, { padTokenId: PAD });
    const variables = classifier.trainedVariables();
    const position = { seed: 3, step: 5 };
    const window = [batch(0, 8), batch(8, 13)];
    const alone = await hostValues(windowGradients(classifier, variables, window, position));
    const shared = await replicas.windowGradients(classifier, variables, window, position);
    expectNear(await hostValues(shared), alone, 1e-5);
    const inOne = windowGradients(classifier, variables, [batch(0, 13)], position);
    expectNear(await hostValues(inOne), alone, 1e-5);
    // Another step draws others, and so do rows in other places.
    for (const [rows, step] of [
      [window, 6],
      [[batch(8, 13), batch(0, 8)], 5],
    ] as const) {
      const other = await hostValues(windowGradients(classifier, variables, rows, { ...position, step }));
      expect(other.get('loss')![0]).not.toBeCloseTo(alone.get('loss')![0]!, 4);
    }
    await replicas.dispose();
    peft.dispose();
  });

  it('train to the weights of one thread', async () => {
    const replicas = await startTinyReplicas({ model }, 2);
    const shared = await trained(model, replicas, { optim: 'adamw_torch' });
    await replicas.dispose();
    const alone = await trained(model, undefined, { optim: 'adamw_torch' });
    expectNear(shared.weights, alone.weights, 1e-3);
    shared.losses.forEach((loss, step) => expect(loss).toBeCloseTo(alone.losses[step]!, 4));
  });

  it('load the best checkpoint at the end and train on', async () => {
    const replicas = await startTinyReplicas({ model });
    const args: Partial<TrainingArguments> = {
      evalStrategy: 'epoch',
      loadBestModelAtEnd: true,
      metricForBestModel: 'loss',
    };
    const first = await trained(model, replicas, args);
    expect((await trained(model, replicas, args)).bits).toBe(first.bits);
    await replicas.dispose();
  });
});

describe('replicas that fail', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
  });
  afterAll(() => device.dispose());

  /** Two replicas of which the second has the fault, and what becomes of their threads. */
  async function connect(fault: 'throw in its second step' | 'exit in a step' | 'throw at set-up' | 'exit at set-up') {
    const workers = [0, 1].map(tinyReplicaWorker);
    const ended = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
    const links = workers.map(workerLink);
    const second = links[1]!;
    // The set-up is the same for all; this one reaches the second replica alone.
    links[1] = {
      ...second,
      post: (message, transfer) => {
        const request = message as object;
        second.post('setup' in request ? { ...request, setup: { fault } } : request, transfer);
      },
    };
    return { ended, replicas: Replicas.connect({ links, setup: {} }) };
  }

  it.each([
    ['throw at set-up', 'replica 2 of 2 failed at its set-up: no such base'],
    ['exit at set-up', 'replica 2 of 2 failed at its set-up: its thread ended with exit code 7'],
  ] as const)('%s: the start is rejected and no thread is left', async (fault, message) => {
    const { ended, replicas } = await connect(fault);
    await expect(replicas).rejects.toMatchObject({ code: 'REPLICA_FAILED', message });
    expect(await ended).toHaveLength(2);
  });

  it.each([
    ['throw in its second step', 'replica 2 of 2 failed in step 1: no such token'],
    ['exit in a step', 'replica 2 of 2 failed in step 0: its thread ended with exit code 7'],
  ] as const)('%s: the training is rejected, no thread and no tensor is left', async (fault, message) => {
    const { ended, replicas: connecting } = await connect(fault);
    const replicas = await connecting;
    const { tensors } = device.memory();
    const failure = await trained({}, replicas).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ code: 'REPLICA_FAILED', message });
    expect(await ended).toHaveLength(2);
    if (fault === 'throw in its second step') expect((failure!.cause as Error).stack).toMatch(/tiny-replica\.(ts|mjs)/);
    await expect(trained({}, replicas)).rejects.toThrow(message);
    // The model that each of the two trainings had built.
    const peft = tinyClassifier();
    const ofOne = device.memory().tensors;
    peft.dispose();
    const ofModel = ofOne - device.memory().tensors;
    expect(device.memory().tensors).toBe(tensors + 2 * ofModel);
  });

  it('a module that is not there', async () => {
    const worker = new Worker(new URL('./nowhere.mjs', import.meta.url));
    await expect(Replicas.connect({ links: [workerLink(worker)], setup: {} })).rejects.toMatchObject({
      code: 'REPLICA_FAILED',
      message: expect.stringMatching(/replica 1 of 1 failed at its set-up: .*nowhere\.mjs/) as string,
    });
  });

  it('a set-up that cannot be cloned', async () => {
    await expect(startTinyReplicas({ model: (() => undefined) as object })).rejects.toMatchObject({
      code: 'REPLICA_FAILED',
      message: expect.stringContaining("can't be cloned") as string,
    });
  });
});

it('dispose ends the threads, and what is asked afterwards says so', async () => {
  const device = await openDevice({ backend: 'wasm' });
  const worker = tinyReplicaWorker();
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const replicas = await Replicas.connect({ links: [workerLink(worker)], setup: {} });
  expect(replicas.count).toBe(1);
  await replicas.dispose();
  await ended;
  await replicas.dispose();
  await expect(trained({}, replicas)).rejects.toThrow('the replicas were disposed of');
  const peft = tinyClassifier();
  const batches = evaluationBatches(rows, 8, collator());
  expect((await evaluate(sequenceClassifier(peft, { padTokenId: PAD }), batches, { replicas })).rows).toBe(24);
  peft.dispose();
  device.dispose();
});

it('a count that is none, and a replica on the main thread, are refused', async () => {
  for (const count of [0, 1.5, NaN]) {
    await expect(startTinyReplicas({}, count)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: `the count of replicas is ${count}, but a whole number of 1 or more is needed`,
    });
  }
  expect(mainThreadPort).toThrow('this is the main thread');
});

it('a webgpu device is refused', async () => {
  const device = await openDevice({ backend: 'webgpu' });
  const replicas = await startTinyReplicas({});
  await expect(trained({}, replicas)).rejects.toMatchObject({
    code: 'BAD_ARGUMENT',
    message: expect.stringContaining('the backend is webgpu') as string,
  });
  await replicas.dispose();
  device.dispose();
});
