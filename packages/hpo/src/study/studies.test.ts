import { describe, expect, expectTypeOf, it } from 'vitest';
import { categoricalDistribution, floatDistribution, intDistribution } from '../distribution/distribution';
import { InMemoryStorage } from '../storage/in-memory-storage';
import { TextJournalBackend } from '../storage/journal/backend';
import { JournalStorage } from '../storage/journal/journal-storage';
import { type Storage } from '../storage/storage';
import { further } from '../testing/optuna-further';
import { createTrial } from '../trial/create-trial';
import { createStudy, loadStudy } from './create-study';
import { maxTrialsCallback } from './max-trials-callback';
import { copyStudy, deleteStudy, getAllStudyNames, getAllStudySummaries } from './studies';

const logger = { info: () => undefined, warn: () => undefined };
const storages: [name: string, make: () => Storage][] = [
  ['in memory', () => new InMemoryStorage()],
  ['journal', () => new JournalStorage(new TextJournalBackend())],
];
const added = () =>
  createTrial({
    params: { x: 0.5 },
    distributions: { x: floatDistribution({ low: 0, high: 1 }) },
    value: 0.25,
    intermediateValues: { 0: 0.9, 3: 0.5 },
    userAttrs: { note: 'elsewhere' },
    constraints: { size: -1 },
  });

describe.each(storages)('studies of a storage, %s', (_name, make) => {
  it('are copied with attributes and trials, under another name, and taken away', async () => {
    const [storage, other] = [make(), make()];
    const study = await createStudy({ studyName: 'a', storage, direction: 'maximize', logger });
    await study.setUserAttr('by', 'me');
    await study.setMetricNames(['f1']);
    await study.addTrials([added(), createTrial({ state: 'WAITING', systemAttrs: { fixed_params: { x: 1 } } })]);
    await copyStudy({ fromStudyName: 'a', fromStorage: storage, toStorage: other, toStudyName: 'b' });
    await copyStudy({ fromStudyName: 'a', fromStorage: storage, toStorage: storage, toStudyName: 'c' });
    await expect(copyStudy({ fromStudyName: 'a', fromStorage: storage, toStorage: storage })).rejects.toMatchObject({
      code: 'DUPLICATED_STUDY',
    });
    const copy = await loadStudy({ studyName: 'b', storage: other, logger });
    expect([copy.direction, copy.userAttrs, copy.metricNames]).toEqual(['maximize', { by: 'me' }, ['f1']]);
    const [first, second] = copy.trials;
    expect(first).toMatchObject({
      state: 'COMPLETE',
      value: 0.25,
      params: { x: 0.5 },
      userAttrs: { note: 'elsewhere' },
    });
    expect([...first!.intermediateValues]).toEqual([
      [0, 0.9],
      [3, 0.5],
    ]);
    expect(second).toMatchObject({ number: 1, state: 'WAITING', datetimeStart: undefined });
    expect((await copy.ask()).number).toBe(1);

    expect(await getAllStudyNames(storage)).toEqual(['a', 'c']);
    await deleteStudy({ studyName: 'a', storage });
    expect(await getAllStudyNames(storage)).toEqual(['c']);
    await expect(deleteStudy({ studyName: 'a', storage })).rejects.toMatchObject({
      code: 'UNKNOWN_STUDY',
      remedy: 'Its studies are ["c"]',
    });
  });

  it('are copied with what is under way as waiting: its worker is at the original', async () => {
    const storage = make();
    const study = await createStudy({ studyName: 'a', storage, logger });
    const running = await study.ask();
    const x = running.suggestFloat('x', 0, 1);
    await copyStudy({ fromStudyName: 'a', fromStorage: storage, toStorage: storage, toStudyName: 'b' });
    const copy = await loadStudy({ studyName: 'b', storage, logger });
    expect(study.trials.map(({ state }) => state)).toEqual(['RUNNING']);
    expect(copy.trials.map(({ state }) => state)).toEqual(['WAITING']);
    await copy.optimize((trial) => trial.suggestFloat('x', 0, 1), { maxTrials: 1 });
    expect(copy.trials.map(({ state, value }) => [state, value])).toEqual([['COMPLETE', x]]);
  });

  it('are summed up', async () => {
    const storage = make();
    const study = await createStudy({ studyName: 'down', storage, logger });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1) + trial.number, { nTrials: 3 });
    const up = await createStudy({ studyName: 'up', storage, direction: 'maximize', logger });
    await up.addTrials([added(), createTrial({ value: 7 })]);
    await createStudy({ studyName: 'empty', storage, logger });
    const summaries = await getAllStudySummaries({ storage });
    expect(summaries.map(({ name, nTrials, bestTrial }) => [name, nTrials, bestTrial?.number])).toEqual([
      ['down', 3, 0],
      ['up', 2, 1],
      ['empty', 0, undefined],
    ]);
    expect(summaries[0]!.datetimeStart).toEqual(study.trials[0]!.datetimeStart);
    expect(summaries[2]!.datetimeStart).toBeUndefined();
    const [without] = await getAllStudySummaries({ storage, includeBestTrial: false });
    expect(without!.bestTrial).toBeUndefined();
  });

  it('keep system attributes of studies and trials', async () => {
    const study = await createStudy({ storage: make(), logger });
    await study.setSystemAttr('launcher', { jobs: [1] });
    const trial = await study.ask();
    trial.setSystemAttr('checkpoint', 'checkpoint-8');
    expect(study.systemAttrs).toEqual({ launcher: { jobs: [1] } });
    expect(trial.systemAttrs).toMatchObject({ checkpoint: 'checkpoint-8' });
  });
});

describe('a trial that is added', () => {
  const x = floatDistribution({ low: 0, high: 1 });
  it.each([
    ['is COMPLETE without a value', { state: 'COMPLETE' }, /its value is undefined/],
    ['is COMPLETE with NaN', { value: NaN }, /its value is NaN/],
    ['is FAIL with a value', { state: 'FAIL', value: 1 }, /FAIL and has a value/],
    ['lacks a distribution', { value: 1, params: { x: 1 } }, /differ in \["x"\]/],
    ['has a value out of range', { value: 1, params: { x: 2 }, distributions: { x } }, /outside/],
  ] as const)('and %s is refused', (_name, options, message) => {
    expect(() => createTrial(options)).toThrow(message);
  });

  it('counts for the sampler, the best and the next number', async () => {
    const study = await createStudy({ logger });
    await study.addTrial(added());
    expect(study.bestTrial.number).toBe(0);
    expect((await study.ask()).number).toBe(1);
  });
});

it("has the rows that Optuna's trials_dataframe has", async () => {
  const study = await createStudy({ direction: 'maximize', logger });
  await study.setMetricNames(['f1']);
  await expect(study.setMetricNames(['f1', 'accuracy'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await study.addTrial(
    createTrial({
      params: { b: 0.5, a: 'v' },
      distributions: { b: floatDistribution({ low: 0, high: 1 }), a: categoricalDistribution(['u', 'v']) },
      value: 0.7,
      userAttrs: { note: 'x' },
    }),
  );
  await study.addTrial(createTrial({ state: 'FAIL', systemAttrs: { why: 'y' } }));
  const rows = study.trialRows(['number', 'value', 'params', 'user_attrs', 'system_attrs', 'state']);
  expect(rows.map((row) => Object.keys(row))).toEqual([further.table.columns, further.table.columns]);
  expect(rows.map((row) => Object.values(row))).toEqual(further.table.rows);
  expect(Object.keys(study.trialRows()[0]!)).toEqual([
    ...['number', 'value_f1', 'datetime_start', 'datetime_complete', 'duration'],
    ...['params_a', 'params_b', 'user_attrs_note', 'state'],
  ]);
  expect(() => study.trialRows(['nunber'] as never)).toThrow(/no column "nunber"/);
});

it('ends after so many trials in all, those of earlier runs among them', async () => {
  const study = await createStudy({ logger });
  await study.addTrials([createTrial({ value: 1 }), createTrial({ state: 'FAIL' })]);
  const objective = (trial: { number: number }) => (trial.number === 3 ? NaN : 1);
  await study.optimize(objective, { nTrials: 50, callbacks: [maxTrialsCallback(4)] });
  expect(study.trials.map(({ state }) => state)).toEqual([
    'COMPLETE',
    'FAIL',
    'COMPLETE',
    'FAIL',
    'COMPLETE',
    'COMPLETE',
  ]);
  await study.optimize(objective, { nTrials: 50, callbacks: [maxTrialsCallback(8, { states: null })] });
  expect(study.trials).toHaveLength(8);
});

describe('a search space given to a study', () => {
  const space = {
    learning_rate: floatDistribution({ low: 1e-5, high: 5e-4, log: true }),
    batch_size: categoricalDistribution([4, 8, 16]),
    epochs: intDistribution({ low: 2, high: 5 }),
    optimizer: categoricalDistribution(['adamw', 'sgd']),
  };

  it('gives every trial its parameters, and the types their names', async () => {
    const study = await createStudy({ space, logger });
    await study.enqueueTrial({ epochs: 3, optimizer: 'sgd' });
    // @ts-expect-error a misspelled name
    await study.enqueueTrial({ epoch: 3 });
    // @ts-expect-error no such choice
    await study.enqueueTrial({ optimizer: 'adam' }).catch(() => undefined);
    const seen: string[] = [];
    await study.optimize(
      (trial) => {
        const { params } = trial;
        expectTypeOf(params.learning_rate).toEqualTypeOf<number>();
        expectTypeOf(params.batch_size).toEqualTypeOf<4 | 8 | 16>();
        expectTypeOf(params.optimizer).toEqualTypeOf<'adamw' | 'sgd'>();
        // @ts-expect-error a misspelled name
        expect(params.learningrate).toBeUndefined();
        seen.push(Object.keys(params).join());
        return params.learning_rate + params.epochs;
      },
      { nTrials: 1 },
    );
    expect(seen).toEqual(['learning_rate,batch_size,epochs,optimizer']);
    expect(study.trials[0]!.params).toMatchObject({ epochs: 3, optimizer: 'sgd' });
    expectTypeOf(study.bestParams.batch_size).toEqualTypeOf<4 | 8 | 16>();
    const trial = await study.ask({ dropout: floatDistribution({ low: 0, high: 0.5 }) });
    expectTypeOf(trial.params.dropout).toEqualTypeOf<number>();
    expect(trial.params.dropout).toBeTypeOf('number');
    expect(trial.params.batch_size).toBeTypeOf('number');
  });

  it('leaves a study without one untyped', async () => {
    const study = await createStudy({ logger });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 1 });
    expectTypeOf(study.bestParams).toEqualTypeOf<Readonly<Record<string, string | number | boolean | null>>>();
    expect(study.space).toEqual({});
  });
});
