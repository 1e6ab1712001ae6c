import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingArguments } from '../arguments/types';
import type { TrainerCallback } from '../callbacks/callback';
import { sealed, verified } from '../checkpoints/manifest';
import { decodeStates, encodeStates, type States } from '../checkpoints/state-files';
import { MemoryCheckpoints } from '../checkpoints/store';
import { tinyRun, tinyTrainer, type TinyResult, type TinyRun } from '../testing/runs';

const RESUME = { resumeFromCheckpoint: true } as const;

/** A callback that ends the run in the way of a signal. */
function stopping(when: (callbackName: string, step: number) => boolean): TinyRun {
  const abort = new AbortController();
  const at =
    (event: string) =>
    ({ state }: { state: { globalStep: number } }): void => {
      if (when(event, state.globalStep)) abort.abort();
    };
  const events = ['onStepEnd', 'onPredictionStep', 'onEvaluate', 'onSave', 'onEpochEnd'];
  return {
    signal: abort.signal,
    callbacks: [Object.fromEntries(events.map((event) => [event, at(event)]))],
  };
}

/** Stops a run, and goes on with it as another process would: a new model, a new trainer, the same store. */
async function stoppedAndResumed(how: TinyRun, stop: TinyRun): Promise<TinyResult & { stoppedAt: number }> {
  const checkpoints = new MemoryCheckpoints();
  const { trainer, model } = tinyTrainer({ ...how, ...stop, checkpoints });
  await expect(trainer.train()).rejects.toMatchObject({ code: 'STOPPED' });
  model.dispose();
  return { ...(await tinyRun({ ...how, checkpoints, train: RESUME })), stoppedAt: trainer.state.globalStep };
}

describe.each(['cpu', 'wasm', 'webgpu'] as const)('a stopped run on %s', (backend) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend });
  });
  afterAll(() => device.dispose());
  // Steps are dear on a software GPU and on the plain CPU backend; what an epoch's end adds is no backend's.
  const args: Partial<TrainingArguments> = backend === 'wasm' ? {} : { numTrainEpochs: 1 };
  const how = (): TinyRun => ({ args, ...(backend === 'webgpu' ? { device } : {}) });

  it('goes on to the bits, and the log, of one that never stopped', async () => {
    const whole = await tinyRun(how());
    for (let step = 1; step < whole.steps; step++) {
      const resumed = await stoppedAndResumed(
        how(),
        stopping((event, at) => event === 'onStepEnd' && at === step),
      );
      expect(resumed.stoppedAt).toBe(step);
      expect(resumed.bits, `stopped after step ${step}`).toBe(whole.bits);
      expect(resumed.log, `stopped after step ${step}`).toEqual(whole.log);
    }
  });

  it('leaves every tensor but the model behind', async () => {
    const before = device.memory().tensors;
    await stoppedAndResumed(
      how(),
      stopping((event, step) => event === 'onPredictionStep' && step === 2),
    );
    expect(device.memory().tensors).toBe(before);
  });
});

describe('resumeFromCheckpoint', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
  });
  afterAll(() => device.dispose());

  it.each(['onPredictionStep', 'onEvaluate', 'onSave'])(
    'does what was due when it was stopped in %s',
    async (event) => {
      const whole = await tinyRun();
      const resumed = await stoppedAndResumed(
        {},
        stopping((name, step) => name === event && step === 4),
      );
      expect(resumed).toMatchObject({ stoppedAt: 4, bits: whole.bits, log: whole.log });
    },
  );

  it.each<[string, Partial<TrainingArguments>]>([
    ['by epochs', { evalStrategy: 'epoch', saveStrategy: 'epoch' }],
    [
      'saved in the last step of an epoch, evaluated after it',
      { evalStrategy: 'epoch', saveSteps: 3, loadBestModelAtEnd: false },
    ],
    ['by length', { groupByLength: true, evalStrategy: 'epoch', saveStrategy: 'epoch' }],
  ])('goes on at the end of an epoch: %s', async (_, args) => {
    const how = { args };
    const whole = await tinyRun(how);
    for (const event of ['onStepEnd', 'onEpochEnd', 'onEvaluate']) {
      const resumed = await stoppedAndResumed(
        how,
        stopping((name, step) => name === event && step === 3),
      );
      expect(resumed.bits, event).toBe(whole.bits);
      expect(resumed.log, event).toEqual(whole.log);
    }
  });

  it('starts from the beginning where there is no checkpoint, and says so', async () => {
    const lines: string[] = [];
    const whole = await tinyRun();
    const resumed = await tinyRun({ train: RESUME, log: (line) => void lines.push(line) });
    expect(resumed).toEqual(whole);
    expect(lines).toEqual(['unused has no checkpoint: the training starts from the beginning']);
  });

  it('trains nothing more, and loads the best, where the run had come to its end', async () => {
    const checkpoints = new MemoryCheckpoints();
    const whole = await tinyRun({ checkpoints });
    let steps = 0;
    const again = await tinyRun({ checkpoints, train: RESUME, callbacks: [{ onStepEnd: () => void steps++ }] });
    expect([steps, again.bits]).toEqual([0, whole.bits]);
  });

  it('gives callbacks their state back, and stops what a callback had stopped', async () => {
    const counting = (): TrainerCallback & { seen: number } => ({
      name: 'Counting',
      seen: 0,
      onStepEnd({ control }) {
        this.seen++;
        if (this.seen === 4) control.shouldTrainingStop = true;
      },
      stateDict() {
        return { seen: this.seen };
      },
      loadStateDict(state) {
        Object.assign(this, state);
      },
    });
    const checkpoints = new MemoryCheckpoints();
    const stop = stopping((event, step) => event === 'onStepEnd' && step === 2);
    const { trainer } = tinyTrainer({ ...stop, callbacks: [counting(), ...stop.callbacks!], checkpoints });
    await expect(trainer.train()).rejects.toMatchObject({ code: 'STOPPED' });
    const second = counting();
    const resumed = await tinyRun({ checkpoints, callbacks: [second], train: RESUME });
    expect([resumed.steps, second.seen]).toEqual([4, 4]);
    expect((await tinyRun({ checkpoints, callbacks: [counting()], train: RESUME })).steps).toBe(4);
  });

  it('refuses two callbacks whose states would have one name', () => {
    const callback = { name: 'Twice', stateDict: () => ({}) };
    expect(() => tinyTrainer({ callbacks: [callback, { ...callback }] })).toThrow(/"Twice".*a name of its own/);
    expect(() => tinyTrainer({ callbacks: [{ stateDict: () => ({}) }] })).toThrow(/a name of its own/);
  });
});

describe('what a resumed run is compared in', () => {
  let device: Device;
  let checkpoints: MemoryCheckpoints;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
    checkpoints = new MemoryCheckpoints();
    const stop = stopping((event, step) => event === 'onStepEnd' && step === 3);
    await expect(tinyTrainer({ ...stop, checkpoints }).trainer.train()).rejects.toMatchObject({ code: 'STOPPED' });
  });
  afterAll(() => device.dispose());

  const copyOf = (store: MemoryCheckpoints): MemoryCheckpoints => {
    const copy = new MemoryCheckpoints();
    for (const [name, files] of store.saved) {
      copy.saved.set(name, new Map([...files].map(([path, bytes]) => [path, bytes.slice()])));
    }
    return copy;
  };

  it.each<[string, TinyRun, RegExp]>([
    [
      'data',
      { rowsSeed: 3 },
      /checkpoint-3 is of another run: data was [0-9a-f]{12}… and is .*rows that were trained on/,
    ],
    ['data', { rows: 30 }, /data was/],
    ['base', { model: { quantised: false } }, /base was .*\(the adapter was trained with another base\)/],
    [
      'perDeviceTrainBatchSize',
      { args: { perDeviceTrainBatchSize: 4 } },
      /perDeviceTrainBatchSize was 5 and is 4 \(each step/,
    ],
    [
      'gradientAccumulationSteps',
      { args: { gradientAccumulationSteps: 1 } },
      /gradientAccumulationSteps was 2 and is 1/,
    ],
    ['seed', { args: { seed: 2 } }, /seed was 1 and is 2 \(rows would come in another order/],
    ['learningRate', { args: { learningRate: 1e-3 } }, /learningRate was 0.005 and is 0.001/],
    ['optim', { args: { optim: 'adamw_torch' } }, /optim was "paged_adamw_8bit" and is "adamw_torch"/],
  ])('%s is refused by name before the first step', async (name, run, message) => {
    let steps = 0;
    const callbacks = [{ onStepBegin: () => void steps++ }];
    const { trainer } = tinyTrainer({ ...run, callbacks, checkpoints: copyOf(checkpoints) });
    await expect(trainer.train(RESUME)).rejects.toMatchObject({
      code: 'BAD_CHECKPOINT',
      message: expect.stringMatching(message) as string,
      value: [name],
      remedy: expect.stringContaining(`acceptChanges: ["${name}"]`) as string,
    });
    expect(steps).toBe(0);
  });

  it('is taken where it is accepted by name, with what it changes', async () => {
    const lines: string[] = [];
    const resumed = await tinyRun({
      rows: 30,
      args: { learningRate: 1e-3, maxSteps: 6 },
      checkpoints: copyOf(checkpoints),
      train: { ...RESUME, acceptChanges: ['data', 'learningRate', 'maxSteps'] },
      log: (line) => void lines.push(line),
    });
    expect(resumed.steps).toBe(6);
    expect(resumed.log.at(-1)!['epoch']).toBe(2);
    expect(lines[0]).toMatch(/another data is accepted; rows that were trained on would come again/);
    expect(lines.at(-1)).toBe('checkpoint-3: going on after step 3');
  });

  it('does not take weights or a state that do not fit, whatever is accepted', async () => {
    const { trainer } = tinyTrainer({ model: { lora: { r: 8 } }, checkpoints: copyOf(checkpoints) });
    await expect(trainer.train(RESUME)).rejects.toThrow(/lora_A.*has shape \[4, 32\], but the model needs \[8, 32\]/);

    const store = copyOf(checkpoints);
    const saved = await store.open('checkpoint-3');
    const { manifest } = await verified(saved);
    const {
      optimizer,
      scaler: _,
      ...others
    } = (await decodeStates(saved)) as { optimizer: { parameters: object } } & States;
    const fewer = { ...optimizer, parameters: Object.fromEntries(Object.entries(optimizer.parameters).slice(1)) };
    const { 'checkpoint.json': __, ...files } = Object.fromEntries(store.saved.get('checkpoint-3')!);
    for (const [states, message] of [
      [{ ...others, optimizer: fewer }, /checkpoint-3: the state 'optimizer' does not fit: .*there is nothing for/],
      [{ ...others, optimizer }, /checkpoint-3 has no state 'scaler'/],
    ] as const) {
      await store.save('checkpoint-3', await sealed({ ...files, ...encodeStates(states) }, manifest));
      const resuming = tinyTrainer({ checkpoints: store }).trainer.train({ resumeFromCheckpoint: 'checkpoint-3' });
      await expect(resuming).rejects.toMatchObject({
        code: 'BAD_CHECKPOINT',
        message: expect.stringMatching(message) as string,
      });
    }
  });

  it('is damaged where one byte is: each file is refused by name, and the one before is gone on from', async () => {
    const names = [...checkpoints.saved.get('checkpoint-3')!.keys()];
    expect(names).toHaveLength(7);
    const whole = await tinyRun();
    for (const name of names) {
      const damaged = copyOf(checkpoints);
      const bytes = damaged.saved.get('checkpoint-3')!.get(name)!;
      bytes[bytes.length >> 1]! ^= 1;
      await expect(
        tinyTrainer({ checkpoints: damaged }).trainer.train({ resumeFromCheckpoint: 'checkpoint-3' }),
      ).rejects.toMatchObject({ code: 'BAD_CHECKPOINT', message: expect.stringContaining(name) as string });
      const lines: string[] = [];
      const resumed = await tinyRun({ checkpoints: damaged, train: RESUME, log: (line) => void lines.push(line) });
      expect(lines[0]).toMatch(new RegExp(`checkpoint-3/${name.replace('.', '\\.')} .*; going on from the one before`));
      expect(lines.at(-1)).toBe('checkpoint-2: going on after step 2');
      expect(resumed.bits).toBe(whole.bits);
    }
  });

  it('is refused where a file is missing or cut, or where another program wrote it; none good is an error', async () => {
    const cases: [string, (files: Map<string, Uint8Array>) => void][] = [
      ['lacks adapter_model.safetensors', (files) => void files.delete('adapter_model.safetensors')],
      [
        'has 100 bytes and had',
        (files) => void files.set('trainer_state.json', files.get('trainer_state.json')!.slice(0, 100)),
      ],
      ['has no checkpoint.json: another program or an older version', (files) => void files.delete('checkpoint.json')],
      ['is not JSON', (files) => void files.set('checkpoint.json', new Uint8Array(9))],
      ['not of a checkpoint of qlora.js', (files) => void files.set('checkpoint.json', Buffer.from('{"format":"x"}'))],
      [
        'is of version 9, and this one reads 1',
        (files) => void files.set('checkpoint.json', Buffer.from('{"format":"qlora.js checkpoint","version":9}')),
      ],
    ];
    for (const [message, spoil] of cases) {
      const store = copyOf(checkpoints);
      store.saved.delete('checkpoint-2');
      spoil(store.saved.get('checkpoint-3')!);
      await expect(tinyTrainer({ checkpoints: store }).trainer.train(RESUME)).rejects.toMatchObject({
        code: 'BAD_CHECKPOINT',
        message: expect.stringMatching(new RegExp(`no checkpoint can be gone on from: .*${message}`)) as string,
      });
    }
  });

  it('is refused where the best weights so far are not beside it', async () => {
    const store = copyOf(checkpoints);
    store.saved.delete('checkpoint-2');
    await expect(tinyTrainer({ checkpoints: store }).trainer.train(RESUME)).rejects.toMatchObject({
      code: 'BAD_CHECKPOINT',
      message: expect.stringMatching(/best weights so far are those of checkpoint-2, which is not beside/) as string,
    });
  });

  it('belongs to a run: another one does not begin among its checkpoints, unless it may delete them', async () => {
    const store = copyOf(checkpoints);
    await expect(tinyTrainer({ checkpoints: store }).trainer.train()).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(/checkpoint-2 in memory is there from an earlier run; go on from it/) as string,
    });
    expect([...store.saved.keys()]).toEqual(['checkpoint-2', 'checkpoint-3']);
    await tinyRun({ checkpoints: store, args: { overwriteOutputDir: true } });
    expect(store.saved.has('checkpoint-3')).toBe(false);
  });
});
