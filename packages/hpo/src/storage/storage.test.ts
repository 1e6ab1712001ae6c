import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { categoricalDistribution, floatDistribution, intDistribution } from '../distribution/distribution';
import { JournalFileBackend } from '../node';
import { RdbStorage } from '../rdb';
import { type JournalBackend, TextJournalBackend } from './journal/backend';
import { JournalStorage } from './journal/journal-storage';
import { ReportedValues } from '../trial/reported-values';
import { type Storage, trialTemplate } from './storage';
import { InMemoryStorage } from './in-memory-storage';

const folder = mkdtempSync(join(tmpdir(), 'hpo-storage-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** A new storage, and a way to what another worker sees. */
const kinds: [string, () => Promise<{ storage: Storage; another: () => Promise<Storage> }>][] = [
  [
    'InMemoryStorage',
    async () => {
      const storage = new InMemoryStorage();
      return { storage, another: async () => storage };
    },
  ],
  ['JournalStorage on text', async () => journal(new TextJournalBackend())],
  [
    'JournalStorage on a file',
    async () => {
      const path = join(folder, `${files++}.log`);
      return journal(new JournalFileBackend(path), () => new JournalFileBackend(path));
    },
  ],
  [
    'RdbStorage on SQLite',
    async () => {
      const url = `sqlite:///${join(folder, `${files++}.db`)}`;
      const open = async () => {
        const storage = await RdbStorage.open(url);
        for (const { id } of storage.getStudies()) await storage.watch(id);
        return storage;
      };
      return { storage: await open(), another: open };
    },
  ],
];

function journal(backend: JournalBackend, again: () => JournalBackend = () => backend) {
  const open = async (it: JournalBackend) => {
    const storage = new JournalStorage(it);
    await storage.refresh();
    return storage;
  };
  return { storage: new JournalStorage(backend), another: () => open(again()) };
}

/** What a call rejects with, or throws. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}
const withMessage = (message: RegExp): unknown =>
  expect.objectContaining({ message: expect.stringMatching(message) as string });

describe.each(kinds)('%s', (_, make) => {
  it('numbers trials in their study, and gives no id twice', async () => {
    const { storage, another } = await make();
    const a = await storage.createStudy({ name: 'a', directions: ['minimize'] });
    const b = await storage.createStudy({ name: 'b', directions: ['minimize'] });
    const ids = [await storage.createTrial(b), await storage.createTrial(a), await storage.createTrial(b)];
    expect(new Set(ids).size).toBe(3);
    const seen = await another();
    expect(seen.getTrials(b).map(({ id, number }) => [id, number])).toEqual([
      [ids[0], 0],
      [ids[2], 1],
    ]);
    await storage.deleteStudy(a);
    expect((await another()).getStudies().map(({ name }) => name)).toEqual(['b']);
    expect(() => storage.getStudy(a)).toThrow(`no study with id ${a}`);
    expect(await errorOf(() => storage.createTrial(a))).toMatchObject({ code: 'UNKNOWN_STUDY' });
    const c = await storage.createStudy({ name: 'a', directions: ['maximize'] });
    expect(storage.getStudy(c).directions).toEqual(['maximize']);
    expect(storage.getTrial(await storage.createTrial(c)).number).toBe(0);
  });

  it('keeps everything a trial says', async () => {
    const { storage, another } = await make();
    const study = await storage.createStudy({ name: 'a "quoted"\n☕', directions: ['maximize'] });
    await storage.setStudyUserAttr(study, 'k', { nested: [1, null, 'x', NaN] });
    await storage.setStudyUserAttr(study, 'k', { nested: [1, null, 'y', NaN] });
    await storage.setStudySystemAttr(study, '__proto__', true);
    const trial = await storage.createTrial(study);
    storage.setTrialParam(trial, 'x', 0.1, floatDistribution({ low: 0, high: 1, step: 0.1 }));
    storage.setTrialParam(trial, '__proto__', 2, categoricalDistribution(['a', null, NaN]));
    storage.setTrialParam(trial, '7', 7, intDistribution({ low: 1, high: 9, log: true }));
    storage.setTrialIntermediateValue(trial, 0, 1e-300);
    storage.setTrialIntermediateValue(trial, 7, -Infinity);
    storage.setTrialIntermediateValue(trial, 3, NaN);
    storage.setTrialUserAttr(trial, 'constructor', 'c');
    storage.setTrialSystemAttr(trial, 's', []);
    const before = storage.getTrial(trial);
    expect(before.params['x']).toBe(0.1);
    await storage.finishTrial(trial, { state: 'COMPLETE', value: Infinity });

    const seen = await another();
    expect(seen.getStudy(study)).toMatchObject({ name: 'a "quoted"\n☕', directions: ['maximize'] });
    expect(seen.getStudy(study).userAttrs).toEqual({ k: { nested: [1, null, 'y', NaN] } });
    expect(Object.entries(seen.getStudy(study).systemAttrs)).toEqual([['__proto__', true]]);
    const frozen = seen.getTrial(trial);
    expect(frozen).toEqual(storage.getTrial(trial));
    expect(Object.entries(frozen.params)).toEqual([
      ['x', 0.1],
      ['__proto__', NaN],
      ['7', 7],
    ]);
    expect(frozen.distributions['7']).toEqual(intDistribution({ low: 1, high: 9, log: true }));
    expect([...frozen.intermediateValues]).toEqual([
      [0, 1e-300],
      [7, -Infinity],
      [3, NaN],
    ]);
    expect(frozen).toMatchObject({ state: 'COMPLETE', value: Infinity, values: [Infinity], systemAttrs: { s: [] } });
    expect(Object.entries(frozen.userAttrs)).toEqual([['constructor', 'c']]);
    expect(frozen.datetimeComplete!.getTime()).toBeGreaterThanOrEqual(frozen.datetimeStart!.getTime());
    expect(before.state).toBe('RUNNING');
  });

  it('gives snapshots that do not change', async () => {
    const { storage } = await make();
    const trial = await storage.createTrial(await storage.createStudy({ name: 'a', directions: ['minimize'] }));
    const before = storage.getTrial(trial);
    storage.setTrialIntermediateValue(trial, 0, 1);
    await storage.finishTrial(trial, { state: 'PRUNED', value: 1 });
    expect(before.intermediateValues.size).toBe(0);
    expect(before.state).toBe('RUNNING');
  });

  it('stores a whole trial', async () => {
    const { storage, another } = await make();
    const study = await storage.createStudy({ name: 'a', directions: ['minimize'] });
    const template = trialTemplate({
      state: 'COMPLETE',
      value: 3,
      values: [3],
      params: { x: 0.5, c: 'b' },
      distributions: { x: floatDistribution({ low: 0, high: 1 }), c: categoricalDistribution(['a', 'b']) },
      intermediateValues: ReportedValues.of([[4, NaN]]),
      userAttrs: { u: 1 },
      systemAttrs: { s: 'x' },
      datetimeStart: new Date(1e12),
      datetimeComplete: new Date(1e12 + 1),
    });
    const id = await storage.createTrial(study, template);
    expect((await another()).getTrial(id)).toEqual({ ...template, id, number: 0 });
  });

  it('lets one worker have a waiting trial', async () => {
    const { storage, another } = await make();
    const study = await storage.createStudy({ name: 'a', directions: ['minimize'] });
    const id = await storage.createTrial(study, trialTemplate({ state: 'WAITING' }));
    const other = await another();
    expect(await Promise.all([storage.claimTrial(id), other.claimTrial(id)])).toEqual([true, false]);
    await other.refresh();
    expect(other.getTrial(id).datetimeStart).toBeInstanceOf(Date);
    await other.finishTrial(id, { state: 'FAIL' });
    await storage.refresh();
    expect(await errorOf(() => storage.claimTrial(id))).toEqual(withMessage(/trial 0 has already ended \(FAIL\)/));
  });

  it('makes no more trials than it may, however many workers ask at once; retries do not count', async () => {
    const { storage, another } = await make();
    const study = await storage.createStudy({ name: 's', directions: ['minimize'] });
    const other = await another();
    await other.watch?.(study);
    const asked = [storage, other, storage, other, storage, other].map(async (it) => it.createTrialWithin(study, 4));
    const made = (await Promise.all(asked)).filter((id) => id !== undefined);
    expect(made).toHaveLength(4);
    await storage.refresh();
    const retry = trialTemplate({ state: 'WAITING', systemAttrs: { retry_history: [0] } });
    await storage.finishTrial(made[0]!, { state: 'FAIL', retry });
    await other.refresh();
    expect(other.getTrials(study).map(({ number }) => number)).toEqual([0, 1, 2, 3, 4]);
    expect(await other.createTrialWithin(study, 4)).toBeUndefined();
    expect(await other.createTrialWithin(study, 5)).toBeDefined();
  });

  it('puts a running trial back into the queue under its own number, with what it has', async () => {
    const { storage, another } = await make();
    const study = await storage.createStudy({ name: 's', directions: ['minimize'] });
    const id = await storage.createTrial(study);
    storage.setTrialParam(id, 'x', 0.5, floatDistribution({ low: 0, high: 1 }));
    storage.setTrialIntermediateValue(id, 3, 0.25);
    await storage.requeueTrial(id);
    const other = await another();
    await other.watch?.(study);
    expect(other.getTrials(study)).toMatchObject([{ number: 0, state: 'WAITING', params: { x: 0.5 } }]);
    expect(await other.claimTrial(id)).toBe(true);
    await storage.refresh();
    expect(await storage.claimTrial(id)).toBe(false);
    expect([...other.getTrial(id).intermediateValues]).toEqual([[3, 0.25]]);
    await other.finishTrial(id, { state: 'COMPLETE', value: 1 });
    await storage.refresh();
    expect(await errorOf(() => storage.requeueTrial(id))).toMatchObject({ code: 'FINISHED_TRIAL' });
  });

  it('puts a retry into the queue only for the worker that ended the trial', async () => {
    const { storage, another } = await make();
    const study = await storage.createStudy({ name: 'a', directions: ['minimize'] });
    const id = await storage.createTrial(study);
    const other = await another();
    const retry = trialTemplate({ state: 'WAITING', systemAttrs: { failed_trial: 0 } });
    const ends = [storage, other].map((it) => errorOf(() => it.finishTrial(id, { state: 'FAIL', retry })));
    const errors = (await Promise.all(ends)).filter((error) => error !== undefined);
    expect(errors).toEqual([expect.objectContaining({ code: 'FINISHED_TRIAL' })]);
    const trials = (await another()).getTrials(study);
    expect(trials.map(({ state }) => state)).toEqual(['FAIL', 'WAITING']);
    expect(trials[1]!.systemAttrs).toEqual({ failed_trial: 0 });
  });

  it('throws for what can not be, and goes on', async () => {
    const { storage, another } = await make();
    const study = await storage.createStudy({ name: 'a', directions: ['minimize'] });
    expect(await errorOf(() => storage.createStudy({ name: 'a', directions: ['minimize'] }))).toEqual(
      withMessage(/already has a study named "a"/),
    );
    const trial = await storage.createTrial(study);
    expect(() => storage.setTrialIntermediateValue(700, 0, 1)).toThrow(/no trial with id 700/);
    storage.setTrialParam(trial, 'x', 1, intDistribution({ low: 0, high: 2 }));
    expect(() => storage.setTrialParam(trial, 'x', 1, floatDistribution({ low: 0, high: 2 }))).toThrow(
      /changed its kind/,
    );
    await storage.finishTrial(trial, { state: 'FAIL' });
    expect(await errorOf(() => storage.finishTrial(trial, { state: 'COMPLETE', value: 1 }))).toEqual(
      withMessage(/already ended/),
    );
    expect(() => storage.setTrialUserAttr(trial, 'k', 1)).toThrow(/already ended/);
    expect((await another()).getTrial(trial)).toMatchObject({ state: 'FAIL', value: undefined, params: { x: 1 } });
    expect(storage.getTrial(await storage.createTrial(study)).number).toBe(1);
  });

  it('tells a trial that another worker has ended', async () => {
    const { storage, another } = await make();
    const study = await storage.createStudy({ name: 'a', directions: ['minimize'] });
    const trial = await storage.createTrial(study);
    await (await another()).finishTrial(trial, { state: 'FAIL' });
    const error = await errorOf(async () => {
      storage.setTrialIntermediateValue(trial, 0, 1);
      await storage.finishTrial(trial, { state: 'COMPLETE', value: 1 });
    });
    expect(error).toMatchObject({ code: 'FINISHED_TRIAL' });
    expect((await another()).getTrial(trial)).toMatchObject({ state: 'FAIL', value: undefined });
  });
});
