import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { categoricalDistribution, floatDistribution, intDistribution } from '../distribution/distribution';
import { JournalFileBackend } from '../node';
import { type JournalBackend, TextJournalBackend } from './journal/backend';
import { JournalStorage } from './journal/journal-storage';
import { ReportedValues } from '../trial/reported-values';
import { trialTemplate } from './storage';
import { InMemoryStorage } from './in-memory-storage';
import { type OperationStorage } from './operation-storage';

const folder = mkdtempSync(join(tmpdir(), 'hpo-storage-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** A new storage, and a way to what another worker sees. */
const kinds: [string, () => { storage: OperationStorage; another: () => OperationStorage }][] = [
  [
    'InMemoryStorage',
    () => {
      const storage = new InMemoryStorage();
      return { storage, another: () => storage };
    },
  ],
  ['JournalStorage on text', () => journal(new TextJournalBackend())],
  [
    'JournalStorage on a file',
    () => {
      const path = join(folder, `${files++}.log`);
      return journal(new JournalFileBackend(path), () => new JournalFileBackend(path));
    },
  ],
];

function journal(backend: JournalBackend, again: () => JournalBackend = () => backend) {
  return { storage: new JournalStorage(backend), another: () => new JournalStorage(again()) };
}

describe.each(kinds)('%s', (_, make) => {
  it('numbers studies in the storage, and trials in their study', () => {
    const { storage, another } = make();
    const [a, b] = ['a', 'b'].map((name) => storage.createStudy({ name, directions: ['minimize'] })) as [
      number,
      number,
    ];
    expect([a, b]).toEqual([0, 1]);
    expect([b, a, b].map((study) => storage.createTrial(study))).toEqual([0, 1, 2]);
    expect(
      another()
        .getTrials(b)
        .map(({ id, number }) => [id, number]),
    ).toEqual([
      [0, 0],
      [2, 1],
    ]);
    storage.deleteStudy(a);
    expect(
      another()
        .getStudies()
        .map(({ name }) => name),
    ).toEqual(['b']);
    expect(() => storage.getStudy(a)).toThrow(/no study with id 0/);
    expect(() => storage.createTrial(a)).toThrow(/no study with id 0/);
    expect(storage.createStudy({ name: 'a', directions: ['maximize'] })).toBe(2);
    expect(storage.createTrial(2)).toBe(3);
  });

  it('keeps everything a trial says', () => {
    const { storage, another } = make();
    const study = storage.createStudy({ name: 'a "quoted"\n☕', directions: ['maximize'] });
    storage.setStudyUserAttr(study, 'k', { nested: [1, null, 'x', NaN] });
    storage.setStudySystemAttr(study, '__proto__', true);
    const trial = storage.createTrial(study);
    storage.setTrialParam(trial, 'x', 0.1, floatDistribution({ low: 0, high: 1, step: 0.1 }));
    storage.setTrialParam(trial, '__proto__', 2, categoricalDistribution(['a', null, NaN]));
    storage.setTrialParam(trial, 'k', 7, intDistribution({ low: 1, high: 9, log: true }));
    storage.setTrialIntermediateValue(trial, 0, 1e-300);
    storage.setTrialIntermediateValue(trial, 7, -Infinity);
    storage.setTrialIntermediateValue(trial, 3, NaN);
    storage.setTrialUserAttr(trial, 'constructor', 'c');
    storage.setTrialSystemAttr(trial, 's', []);
    storage.finishTrial(trial, { state: 'COMPLETE', value: Infinity });

    const seen = another();
    expect(seen.getStudy(study)).toMatchObject({ name: 'a "quoted"\n☕', directions: ['maximize'] });
    expect(seen.getStudy(study).userAttrs).toEqual({ k: { nested: [1, null, 'x', NaN] } });
    expect(Object.entries(seen.getStudy(study).systemAttrs)).toEqual([['__proto__', true]]);
    const frozen = seen.getTrial(trial);
    expect(frozen).toEqual(storage.getTrial(trial));
    expect(Object.entries(frozen.params)).toEqual([
      ['x', 0.1],
      ['__proto__', NaN],
      ['k', 7],
    ]);
    expect(frozen.distributions['k']).toEqual(intDistribution({ low: 1, high: 9, log: true }));
    expect([...frozen.intermediateValues]).toEqual([
      [0, 1e-300],
      [7, -Infinity],
      [3, NaN],
    ]);
    expect(frozen).toMatchObject({ state: 'COMPLETE', value: Infinity, values: [Infinity], systemAttrs: { s: [] } });
    expect(Object.entries(frozen.userAttrs)).toEqual([['constructor', 'c']]);
    expect(frozen.datetimeComplete!.getTime()).toBeGreaterThanOrEqual(frozen.datetimeStart!.getTime());
  });

  it('gives snapshots that do not change', () => {
    const { storage } = make();
    const trial = storage.createTrial(storage.createStudy({ name: 'a', directions: ['minimize'] }));
    const before = storage.getTrial(trial);
    storage.setTrialIntermediateValue(trial, 0, 1);
    storage.finishTrial(trial, { state: 'PRUNED', value: 1 });
    expect(before.intermediateValues.size).toBe(0);
    expect(before.state).toBe('RUNNING');
  });

  it('stores a whole trial', () => {
    const { storage, another } = make();
    const study = storage.createStudy({ name: 'a', directions: ['minimize'] });
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
    const id = storage.createTrial(study, template);
    expect(another().getTrial(id)).toEqual({ ...template, id, number: 0 });
  });

  it('lets one worker have a waiting trial', () => {
    const { storage, another } = make();
    const study = storage.createStudy({ name: 'a', directions: ['minimize'] });
    const id = storage.createTrial(study, trialTemplate({ state: 'WAITING' }));
    const other = another();
    expect(storage.claimTrial(id)).toBe(true);
    expect(other.claimTrial(id)).toBe(false);
    expect(other.getTrial(id).datetimeStart).toBeInstanceOf(Date);
    other.finishTrial(id, { state: 'FAIL' });
    expect(() => storage.claimTrial(id)).toThrow(/trial 0 has already ended \(FAIL\)/);
  });

  it('throws for what can not be, and goes on', () => {
    const { storage, another } = make();
    const study = storage.createStudy({ name: 'a', directions: ['minimize'] });
    expect(() => storage.createStudy({ name: 'a', directions: ['minimize'] })).toThrow(/already has a study named "a"/);
    const trial = storage.createTrial(study);
    expect(() => storage.setTrialIntermediateValue(7, 0, 1)).toThrow(/no trial with id 7/);
    storage.setTrialParam(trial, 'x', 1, intDistribution({ low: 0, high: 2 }));
    expect(() => storage.setTrialParam(trial, 'x', 1, floatDistribution({ low: 0, high: 2 }))).toThrow(
      /changed its kind/,
    );
    storage.finishTrial(trial, { state: 'FAIL' });
    expect(() => storage.finishTrial(trial, { state: 'COMPLETE', value: 1 })).toThrow(/already ended/);
    expect(() => storage.setTrialUserAttr(trial, 'k', 1)).toThrow(/already ended/);
    expect(another().getTrial(trial)).toMatchObject({ state: 'FAIL', value: undefined, params: { x: 1 } });
    expect(storage.createTrial(study)).toBe(1);
  });
});
