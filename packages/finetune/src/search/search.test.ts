import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createStudy,
  JournalStorage,
  loadStudy,
  TextJournalBackend,
  type FrozenTrial,
  type TrialState,
} from '@qlora-js/hpo';
import { openDevice, type Device } from '@qlora-js/kernels';
import { MemoryCheckpoints, type TrainerCallback } from '@qlora-js/trainer';
import type { TextDataset } from '@qlora-js/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadData } from '../node';
import { prepareClassifier, type PrepareOptions } from '../run/fine-tune-classifier';
import { fineTuneSettings } from '../run/settings';
import { capture, writeIntents } from '../testing/intents';
import type { SearchWorker } from './left-trials';
import { evaluationsOf } from './pruning';
import { searchParameters } from './search';
import type { SearchSettings } from './space';

const SPACE = {
  learningRate: [1e-3, 3e-3],
  batchSizes: [4, 8],
  numTrainEpochs: [1, 2],
  weightDecay: [0.01, 0.1],
  warmupSteps: [0, 2, 1],
} as const;

it('evaluates after as many samples whatever the batch size is', () => {
  const settings = fineTuneSettings({ training: { evalSteps: 50, saveSteps: 100, perDeviceTrainBatchSize: 8 } });
  const of = (perDeviceTrainBatchSize: number) => evaluationsOf(settings, { perDeviceTrainBatchSize });
  expect(of(4)).toEqual({ evalSteps: 100, saveSteps: 200, samples: 400 });
  expect(of(16)).toEqual({ evalSteps: 25, saveSteps: 50, samples: 400 });
  expect(of(1000)).toEqual({ evalSteps: 1, saveSteps: 2, samples: 400 });
});

describe('searchParameters', () => {
  let folder: string;
  let data: TextDataset;
  let device: Device;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'search-'));
    await writeIntents(folder);
    data = await loadData(folder, { seed: 0, validation: 0.2 });
    device = await openDevice({ backend: 'wasm', log: () => undefined });
  });
  afterAll(async () => {
    device.dispose();
    await rm(folder, { recursive: true });
  });

  /** What a search keeps on a disk, here in memory. */
  interface Disk {
    readonly journal: TextJournalBackend;
    readonly checkpoints: Map<string, MemoryCheckpoints>;
  }
  const emptyDisk = (): Disk => ({ journal: new TextJournalBackend(), checkpoints: new Map() });

  /** The disk as a process finds it that was killed at this moment. */
  function snapshot({ journal, checkpoints }: Disk): Disk {
    const copies = [...checkpoints].map(([name, store]): [string, MemoryCheckpoints] => {
      const copy = new MemoryCheckpoints();
      for (const [step, files] of store.saved) copy.saved.set(step, new Map(files));
      return [name, copy];
    });
    return { journal: new TextJournalBackend(journal.text), checkpoints: new Map(copies) };
  }

  interface Run extends Partial<SearchSettings> {
    readonly signal?: AbortSignal;
    readonly callbacks?: readonly TrainerCallback[];
    readonly worker?: SearchWorker;
    readonly heartbeat?: { intervalMs: number; graceMs: number };
    readonly training?: PrepareOptions['training'];
  }

  async function search(disk: Disk, { signal, callbacks, worker, heartbeat, training, ...settings }: Run) {
    const output = capture();
    const context = await prepareClassifier({
      data,
      device,
      output,
      seed: 3,
      padding: { maxLength: 16 },
      training: { evalSteps: 2, saveSteps: 2, ...training },
      search: { space: SPACE, trials: 3, ...settings },
      checkpoints: (name) => {
        const store = disk.checkpoints.get(name) ?? new MemoryCheckpoints();
        disk.checkpoints.set(name, store);
        return store;
      },
      signal,
      callbacks,
    });
    try {
      const openStorage = () => new JournalStorage(disk.journal, { heartbeat });
      return { found: await searchParameters(context, { openStorage, worker }), lines: output.lines };
    } finally {
      context.model.dispose();
    }
  }

  async function trialsOf({ journal }: Disk, states?: readonly TrialState[]): Promise<readonly FrozenTrial[]> {
    const study = await loadStudy({ storage: new JournalStorage(new TextJournalBackend(journal.text)) });
    return study.getTrials(states);
  }

  /** What makes two searches the same one. */
  const course = (trials: readonly FrozenTrial[]) =>
    trials.map(({ number, state, value, params, intermediateValues }) => ({
      ...{ number, state, value, params },
      reports: [...intermediateValues],
    }));

  /** Calls back at a step of a trial, once its checkpoint is written. */
  const at = (trial: number, step: number, then: () => void | Promise<void>): TrainerCallback => ({
    onStepEnd: async ({ args, state }) => {
      if (args.outputDir === `trial-${trial}` && state.globalStep === step) await then();
    },
  });

  let whole: FrozenTrial[];
  const wholeDisk = emptyDisk();

  it('starts with the parameters of the run, reports by samples and keeps the best checkpoint of each trial', async () => {
    await search(wholeDisk, { pruner: 'none' });
    whole = [...(await trialsOf(wholeDisk))];
    expect(whole.map(({ state }) => state)).toEqual(['COMPLETE', 'COMPLETE', 'COMPLETE']);
    // The run's learning rate is outside of the range, and its warm-up no whole number of steps: those are drawn.
    expect(whole[0]!.params).toMatchObject({ batch_size: 8, weight_decay: 0.01 });
    for (const { intermediateValues } of whole) {
      const steps = [...intermediateValues.keys()];
      expect(steps).toEqual(steps.map((_, i) => 16 * (i + 1)));
    }
    for (const number of [0, 1, 2]) expect(wholeDisk.checkpoints.get(`trial-${number}`)!.saved.size).toBe(1);
  });

  it('stopped and gone on with ends with the trials of one never stopped', async () => {
    const disk = emptyDisk();
    const stop = new AbortController();
    const stopped = search(disk, {
      pruner: 'none',
      signal: stop.signal,
      callbacks: [at(1, 3, () => stop.abort('SIGINT'))],
    });
    await expect(stopped).rejects.toMatchObject({ code: 'STOPPED' });
    expect((await trialsOf(disk)).map(({ state }) => state)).toEqual(['COMPLETE', 'WAITING']);
    const { lines } = await search(disk, { pruner: 'none' });
    expect(lines.filter((line) => line.includes('going on after step 3'))).toHaveLength(1);
    expect(course(await trialsOf(disk))).toEqual(course(whole));
  });

  it('killed and gone on with ends with the trials of one never stopped', async () => {
    const [disk, stop] = [emptyDisk(), new AbortController()];
    let left: Disk | undefined;
    const kill = at(1, 3, () => {
      left = snapshot(disk);
      stop.abort();
    });
    const worker: SearchWorker = { id: 'dead', isDead: () => true };
    const killed = search(disk, { pruner: 'none', callbacks: [kill], worker, signal: stop.signal });
    await expect(killed).rejects.toMatchObject({ code: 'STOPPED' });
    expect((await trialsOf(left!)).map(({ state }) => state)).toEqual(['COMPLETE', 'RUNNING']);
    const { lines } = await search(left!, { pruner: 'none', worker: { ...worker, id: 'next' } });
    expect(lines).toContain('trial 1 was interrupted and is gone on with');
    expect(lines.filter((line) => /going on after step 2/.test(line))).toHaveLength(1);
    expect(course(await trialsOf(left!))).toEqual(course(whole));
  });

  it('leaves a trial to a process that lives, and ends one whose process died twice at one place', async () => {
    const disk = emptyDisk();
    const journal = disk.journal;
    const other = new JournalStorage(journal);
    const study = await other.createStudy({ name: 'finetune', directions: ['maximize'] });
    const alive = await other.createTrial(study);
    other.setTrialSystemAttr(alive, 'worker', 'alive');
    const deadly = await other.createTrial(study);
    other.setTrialSystemAttr(deadly, 'worker', 'dead');
    other.setTrialSystemAttr(deadly, 'died_at', 0);
    await other.refresh();
    const worker: SearchWorker = { id: 'me', isDead: (by) => by === 'dead' };
    const { lines } = await search(disk, { trials: 3, worker });
    expect((await trialsOf(disk)).map(({ state }) => state)).toEqual(['RUNNING', 'FAIL', 'COMPLETE']);
    expect(lines).toContain('trial 0 is run by another process ("alive") and is left to it');
    expect(lines).toContain('trial 1: failed, its process ended twice at the same place');
  });

  it('makes so many trials in all', async () => {
    const disk = snapshot(wholeDisk);
    await search(disk, { trials: 3, pruner: 'none' });
    expect(course(await trialsOf(disk))).toEqual(course(whole));
    await search(disk, { trials: 4, pruner: 'none' });
    expect(await trialsOf(disk)).toHaveLength(4);
  });

  it('does not go on with a study of another figure', async () => {
    const disk = emptyDisk();
    const storage = new JournalStorage(disk.journal);
    const study = await createStudy({ studyName: 'finetune', storage, direction: 'maximize' });
    await study.setMetricNames(['accuracy']);
    await expect(search(disk, {})).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(/study finetune looks for accuracy, and this run for f1;/) as string,
      remedy: expect.stringContaining('--study') as string,
    });
    expect(await trialsOf(disk)).toEqual([]);
  });

  it('goes on after a trial that fails, but not when the first all fail alike', async () => {
    const [disk, other] = [emptyDisk(), emptyDisk()];
    const boom: TrainerCallback = {
      onStepEnd: () => {
        throw new RangeError('boom');
      },
    };
    const once = at(0, 1, boom.onStepEnd!.bind(boom) as never);
    await search(disk, { trials: 2, callbacks: [once] });
    const [failed, second] = await trialsOf(disk);
    expect([failed!.state, second!.state]).toEqual(['FAIL', 'COMPLETE']);
    expect(failed!.systemAttrs['fail_reason']).toBe('TrialFailed: boom');
    expect(disk.checkpoints.get('trial-0')!.saved.size).toBe(0);
    await expect(search(other, { trials: 9, callbacks: [boom] })).rejects.toThrow(/first 3 trials all failed.*boom/);
    expect(await trialsOf(other)).toHaveLength(3);
  });

  it('with heartbeats fails a stale trial and repeats it once from its checkpoint', async () => {
    const disk = emptyDisk();
    const heartbeat = { intervalMs: 50, graceMs: 200 };
    let left: Disk | undefined;
    const stop = new AbortController();
    const kill = at(0, 3, () => {
      left = snapshot(disk);
      stop.abort();
    });
    await expect(search(disk, { pruner: 'none', callbacks: [kill], heartbeat, signal: stop.signal })).rejects.toThrow();
    const { lines } = await search(left!, { trials: 2, pruner: 'none', heartbeat });
    const trials = await trialsOf(left!);
    const repeated = trials.find(({ systemAttrs }) => systemAttrs['failed_trial'] === 0)!;
    expect(trials.map(({ state }) => state).sort()).toEqual(['COMPLETE', 'COMPLETE', 'FAIL']);
    expect(trials[0]!.state).toBe('FAIL');
    expect(repeated.params).toEqual(trials[0]!.params);
    expect(lines.filter((line) => /^trial-0.*going on after step 2|going on after step 2/.test(line))).toHaveLength(1);
    expect([repeated.value, repeated.params]).toEqual([whole[0]!.value, whole[0]!.params]);
  });

  it('leaves the checkpoints of a trial that was taken from it to the next, and goes on', async () => {
    const disk = emptyDisk();
    let taken = false;
    const take = at(0, 5, async () => {
      if (taken) return;
      taken = true;
      const other = await loadStudy({ storage: new JournalStorage(disk.journal) });
      await other.failRunningTrials({ retry: true });
      throw new RangeError('what the late worker comes to');
    });
    const heartbeat = { intervalMs: 1000, graceMs: 60_000 };
    const { lines } = await search(disk, { trials: 1, pruner: 'none', epochs: 2, callbacks: [take], heartbeat });
    expect((await trialsOf(disk)).map(({ state }) => state)).toEqual(['FAIL', 'COMPLETE']);
    expect(lines.filter((line) => line.includes('going on after step 4'))).toHaveLength(1);
  });

  it('prunes by asynchronous successive halving over samples', async () => {
    const disk = emptyDisk();
    await search(disk, { trials: 6, pruner: 'asha', epochs: 2 });
    const pruned = await trialsOf(disk, ['PRUNED']);
    expect(pruned.length).toBeGreaterThan(0);
    for (const { intermediateValues, systemAttrs, number } of pruned) {
      // 72 samples at most: rungs at 8 and 24.
      expect([16, 32]).toContain(intermediateValues.lastStep);
      expect(systemAttrs['pruned_at']).toBe(intermediateValues.lastStep);
      expect(disk.checkpoints.get(`trial-${number}`)!.saved.size).toBe(0);
    }
  });
});
