import { describe, expect, it } from 'vitest';
import { floatDistribution } from '../distribution/distribution';
import { RandomSampler } from '../sampler/random-sampler';
import { type Sampler } from '../sampler/sampler';
import { TPESampler } from '../sampler/tpe/tpe-sampler';
import { InMemoryStorage } from '../storage/in-memory-storage';
import { recordingLogger } from '../testing/logger';
import { createStudy, loadStudy } from './create-study';
import { type Direction } from './direction';

describe('createStudy and loadStudy', () => {
  it('share a storage by name', async () => {
    const storage = new InMemoryStorage();
    const study = await createStudy({ studyName: 'a', direction: 'maximize', storage });
    await createStudy({ storage });
    (await study.ask()).suggestFloat('x', 0, 1);
    const again = await loadStudy({ studyName: 'a', storage });
    expect(again.direction).toBe('maximize');
    expect(again.trials).toEqual(study.trials);
    expect((await createStudy({ studyName: 'a', storage, loadIfExists: true })).id).toBe(study.id);
    storage.deleteStudy(study.id);
    expect(storage.getStudies()[0]!.name).toMatch(/^no-name-[0-9a-f-]{36}$/);
  });

  it('say what is wrong', async () => {
    const storage = new InMemoryStorage();
    await expect(loadStudy({ storage })).rejects.toThrow(/the storage has 0 studies/);
    await createStudy({ studyName: 'a', storage });
    await expect(createStudy({ studyName: 'a', storage })).rejects.toMatchObject({ code: 'DUPLICATED_STUDY' });
    await expect(loadStudy({ studyName: 'b', storage })).rejects.toThrow(/no study named "b". Its studies are \["a"\]/);
    await expect(createStudy({ direction: 'up' as Direction })).rejects.toThrow(/minimize or maximize, but is "up"/);
    await expect(createStudy({ studyName: 'a', direction: 'maximize', storage, loadIfExists: true })).rejects.toThrow(
      /is there already and is to minimize, not to maximize/,
    );
    storage.createStudy({ name: 'two', directions: ['minimize', 'maximize'] });
    await expect(loadStudy({ studyName: 'two', storage })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('telling', () => {
  async function asked() {
    const logger = recordingLogger();
    const study = await createStudy({ logger });
    return { study, logger, trial: await study.ask() };
  }

  it('completes with a number, infinity too', async () => {
    const { study, trial } = await asked();
    expect(await study.tell(trial, -Infinity)).toMatchObject({ state: 'COMPLETE', value: -Infinity, number: 0 });
    expect(study.bestValue).toBe(-Infinity);
  });

  it.each([
    [NaN, 'the value NaN is not acceptable'],
    [undefined, 'the value undefined is not a number'],
    ['0.5', 'the value "0.5" is not a number'],
  ])('fails with %s, and says why', async (value, reason) => {
    const { study, logger, trial } = await asked();
    const ended = await study.tell(trial, value as number);
    expect(ended).toMatchObject({ state: 'FAIL', value: undefined, systemAttrs: { fail_reason: reason } });
    expect(logger.warnings).toEqual([`trial 0 failed: ${reason}`]);
  });

  it('gives a pruned trial its last value, unless that is NaN', async () => {
    const { study, trial } = await asked();
    trial.report(5, 2);
    trial.report(7, 1);
    expect(await study.tell(0, undefined, { state: 'PRUNED' })).toMatchObject({ state: 'PRUNED', value: 5 });
    const second = await study.ask();
    second.report(NaN, 0);
    expect((await study.tell(second, undefined, { state: 'PRUNED' })).value).toBeUndefined();
    const third = await study.ask();
    expect((await study.tell(third, undefined, { state: 'PRUNED' })).value).toBeUndefined();
  });

  it('refuses what makes no sense, and leaves the trial running', async () => {
    const { study, trial } = await asked();
    await expect(study.tell(trial, NaN, { state: 'COMPLETE' })).rejects.toThrow(
      /can't be told COMPLETE: the value NaN/,
    );
    await expect(study.tell(trial, 1, { state: 'FAIL' })).rejects.toThrow(/told FAIL takes no value, but got 1/);
    await expect(study.tell(trial, 1, { state: 'RUNNING' as 'FAIL' })).rejects.toThrow(
      /can't be told the state "RUNNING"/,
    );
    await expect(study.tell(9, 1)).rejects.toThrow(/has no trial 9/);
    expect(study.trials[0]!.state).toBe('RUNNING');
    await study.enqueueTrial({});
    await expect(study.tell(1, 1)).rejects.toThrow(/it is WAITING, not RUNNING/);
  });

  it('happens once', async () => {
    const { study, trial } = await asked();
    await study.tell(trial, 1);
    await expect(study.tell(trial, 2)).rejects.toMatchObject({ code: 'FINISHED_TRIAL' });
    expect((await study.tell(trial, 2, { skipIfFinished: true })).value).toBe(1);
  });
});

it('asks with distributions, and fails the trial where they do not fit', async () => {
  const study = await createStudy({ sampler: new RandomSampler({ seed: 0 }) });
  const trial = await study.ask({ x: floatDistribution({ low: 2, high: 3 }) });
  expect(trial.params['x']).toBeGreaterThanOrEqual(2);
  await expect(study.ask({ x: floatDistribution({ low: 2, high: 3, log: true }) })).rejects.toThrow(/changed its log/);
  expect(study.trials.map(({ state }) => state)).toEqual(['RUNNING', 'FAIL']);
});

it('finds the best of completed, feasible trials, the first of equals', async () => {
  const study = await createStudy({ direction: 'maximize' });
  expect(() => study.bestTrial).toThrow(/no trial has completed yet/);
  for (const [value, constraint] of [
    [1, 0],
    [3, -1],
    [9, 0.5],
    [3, 0],
  ] as const) {
    const trial = await study.ask();
    trial.setConstraint('c', constraint);
    await study.tell(trial, value);
  }
  const pruned = await study.ask();
  pruned.report(100, 0);
  await study.tell(pruned, undefined, { state: 'PRUNED' });
  expect(study.bestTrial.number).toBe(1);
  expect(study.bestValue).toBe(3);
});

it('asks for the same again from the same seed', async () => {
  const run = async (seed: number) => {
    const study = await createStudy({ sampler: new TPESampler({ seed }) });
    await study.optimize((trial) => trial.suggestFloat('x', -1, 1) ** 2 + trial.suggestInt('k', 0, 3), { nTrials: 25 });
    return study.trials.map(({ params, value }) => ({ params, value }));
  };
  const first = await run(11);
  expect(await run(11)).toEqual(first);
  expect(await run(12)).not.toEqual(first);
});

it('closes the distance: TPE beats random search on a bowl', async () => {
  const best = async (sampler: Sampler) => {
    const study = await createStudy({ sampler });
    await study.optimize(
      (trial) => (trial.suggestFloat('x', -10, 10) - 2) ** 2 + trial.suggestFloat('y', -10, 10) ** 2,
      {
        nTrials: 60,
      },
    );
    return study.bestValue;
  };
  expect(await best(new TPESampler({ seed: 3 }))).toBeLessThan(0.5 * (await best(new RandomSampler({ seed: 3 }))));
});

describe('failRunningTrials', () => {
  it('ends what a killed worker left, and repeats it with its parameters', async () => {
    const study = await createStudy({ sampler: new RandomSampler({ seed: 0 }) });
    const left = await study.ask();
    const x = left.suggestFloat('x', 0, 1);
    left.report(1, 0);
    await study.tell(await study.ask(), 1);
    expect((await study.failRunningTrials({ retry: true })).map(({ number }) => number)).toEqual([0]);
    expect(study.trials.map(({ state }) => state)).toEqual(['FAIL', 'COMPLETE', 'WAITING']);
    const again = await study.ask();
    expect(again.number).toBe(2);
    expect(again.suggestFloat('x', 0, 1)).toBe(x);
    expect(study.trials[2]).toMatchObject({ systemAttrs: { failed_trial: 0, retry_history: [0] } });
    expect(study.trials[2]!.intermediateValues.size).toBe(0);
  });

  it('gives up after the retries it is allowed', async () => {
    const study = await createStudy();
    for (let i = 0; i < 3; i++) {
      await study.ask();
      await study.failRunningTrials({ retry: true, maxRetries: 2 });
    }
    expect(study.trials.map(({ state }) => state)).toEqual(['FAIL', 'FAIL', 'FAIL']);
    expect(study.trials[2]!.systemAttrs['retry_history']).toEqual([0, 1]);
  });
});
