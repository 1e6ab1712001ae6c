import { describe, expect, it } from 'vitest';
import { createStudy } from '../study/create-study';
import { recordingLogger } from '../testing/logger';
import { InMemoryStorage } from '../storage/in-memory-storage';
import { type Trial } from '../trial/trial';
import { BruteForceSampler } from './brute-force/brute-force-sampler';
import { GridSampler } from './grid-sampler';
import { PartialFixedSampler } from './partial-fixed-sampler';
import { QMCSampler } from './qmc/qmc-sampler';
import { RandomSampler } from './random-sampler';
import { TPESampler } from './tpe/tpe-sampler';

describe('GridSampler', () => {
  it('leaves to a second run what the first did not try', async () => {
    const storage = new InMemoryStorage();
    const logger = recordingLogger();
    const run = async (nTrials: number) => {
      const sampler = new GridSampler({ x: [1, 2, 3, 4], y: ['a', 'b'] }, { seed: 7 });
      const study = await createStudy({ studyName: 's', storage, sampler, logger, loadIfExists: true });
      await study.optimize((trial) => trial.suggestInt('x', 1, 4) + trial.suggestCategorical('y', ['a', 'b']).length, {
        nTrials,
      });
      return study.trials.map(({ params }) => `${params['x']}${params['y']}`);
    };
    expect(await run(3)).toHaveLength(3);
    const all = await run(100);
    expect(all).toHaveLength(8);
    expect(new Set(all).size).toBe(8);
    // The grid is exhausted: one more trial tries a point again, and the study stops.
    expect(await run(100)).toHaveLength(9);
    expect(logger.warnings).toEqual(['trial 8 tries a point of the grid again: all have been tried']);
  });

  it('says what is not in the grid', async () => {
    const logger = recordingLogger();
    const study = await createStudy({ sampler: new GridSampler({ x: [1, 9] }), logger });
    const trial = await study.ask();
    expect(() => trial.suggestInt('y', 0, 3)).toThrow(/the grid has no parameter "y", only \["x"\]/);
    const second = await study.ask();
    expect([trial.suggestInt('x', 0, 3), second.suggestInt('x', 0, 3)].sort()).toEqual([1, 9]);
    expect(logger.warnings).toEqual([expect.stringMatching(/the grid's "x" = 9 is used although it is outside/)]);
    await study.enqueueTrial({ y: 1 });
    const enqueued = await study.ask();
    expect(() => enqueued.suggestInt('x', 0, 3)).toThrow(/was enqueued without "x"/);
  });

  it('refuses a grid of no points, and one without end', () => {
    expect(() => new GridSampler({ x: [] })).toThrow(/from 1 to 1000000 points, but this one has 0/);
    const thousand = Array.from({ length: 1000 }, (_, i) => i);
    expect(() => new GridSampler({ x: thousand, y: thousand, z: [1, 2] })).toThrow(/has 2000000/);
  });
});

describe('TPESampler', () => {
  it.each([
    [{ nStartupTrials: -1 }, /nStartupTrials/],
    [{ nEiCandidates: 0 }, /nEiCandidates must be an integer of at least 1/],
    [{ priorWeight: -1 }, /priorWeight must be a finite number of at least 0/],
    [{ seed: 1.5 }, /seed/],
  ])('refuses %j', (options, message) => {
    expect(() => new TPESampler(options)).toThrow(message);
  });

  it("keeps away from what running trials announced, and the announcement is Optuna's", async () => {
    const study = await createStudy({ sampler: new TPESampler({ seed: 0, nStartupTrials: 2 }) });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1) + trial.suggestInt('k', 0, 5), { nTrials: 3 });
    const running = await study.ask();
    running.suggestInt('k', 0, 5);
    const { systemAttrs } = study.trials[3]!;
    expect(Object.keys(systemAttrs)).toEqual(['tpe:relative_params:0']);
    const announced = JSON.parse(systemAttrs['tpe:relative_params:0'] as string) as Record<string, number>;
    expect(Object.keys(announced)).toEqual(['k', 'x']);
    expect(running.suggestFloat('x', 0, 1)).toBe(announced['x']);
    const quiet = await createStudy({ sampler: new TPESampler({ seed: 0, nStartupTrials: 2, constantLiar: false }) });
    await quiet.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 4 });
    expect(quiet.trials[3]!.systemAttrs).toEqual({});
  });

  it('goes back to single parameters where trials do not share them', async () => {
    const study = await createStudy({ sampler: new TPESampler({ seed: 1, nStartupTrials: 4 }) });
    await study.optimize(
      (trial) =>
        trial.suggestCategorical('kind', ['a', 'b']) === 'a'
          ? trial.suggestFloat('a', 0, 1)
          : trial.suggestInt('b', 2, 4),
      { nTrials: 30 },
    );
    for (const { params } of study.trials) expect(Object.keys(params)).toEqual(['kind', params['kind']]);
    expect(study.bestParams['kind']).toBe('a');
    expect(study.bestValue).toBeLessThan(0.1);
  });
});

describe('BruteForceSampler', () => {
  const space = (trial: Trial) => trial.suggestInt('a', 0, 1) + trial.suggestInt('b', 0, 2);

  it('tries each combination once, although one failed where others went on', async () => {
    const logger = recordingLogger();
    const study = await createStudy({ sampler: new BruteForceSampler({ seed: 3 }), logger });
    await study.enqueueTrial({ a: 0, b: 1 });
    await study.enqueueTrial({ a: 0 });
    await study.optimize(
      (trial) => {
        if (trial.number !== 1) return space(trial);
        trial.suggestInt('a', 0, 1);
        throw new RangeError('half');
      },
      { catch: RangeError, nTrials: 100 },
    );
    const complete = study.getTrials(['COMPLETE']).map(({ params }) => `${params['a']}${params['b']}`);
    expect(complete.sort()).toEqual(['00', '01', '02', '10', '11', '12']);
    expect(study.trials).toHaveLength(7);
  });

  it('says what it can not count, and where the space changed', async () => {
    const study = await createStudy({ sampler: new BruteForceSampler(), logger: recordingLogger() });
    const endless = await study.ask();
    expect(() => endless.suggestFloat('x', 0, 1)).toThrow(/needs a step/);
    await study.tell(endless, undefined, { state: 'FAIL' });
    const first = await study.ask();
    await study.tell(first, space(first));
    const other = await study.ask();
    expect(() => other.suggestInt('c', 0, 1)).toThrow(/the search space changed: "a" of \[0,1\] before|"c" of \[0,1\]/);
  });
});

describe('PartialFixedSampler', () => {
  it('uses a value outside of the range with a warning', async () => {
    const logger = recordingLogger();
    const sampler = new PartialFixedSampler({ x: 9 }, new RandomSampler({ seed: 0 }));
    const trial = await (await createStudy({ sampler, logger })).ask();
    expect(trial.suggestInt('x', 0, 3)).toBe(9);
    expect(trial.suggestInt('y', 0, 3)).toBeLessThan(4);
    expect(logger.warnings).toEqual([expect.stringMatching(/the fixed "x" = 9 is used although/)]);
  });
});

it('QMCSampler draws other points for each of several workers on one storage', async () => {
  const storage = new InMemoryStorage();
  const options = { studyName: 's', storage, loadIfExists: true, logger: recordingLogger() };
  const workers = await Promise.all(
    [0, 1].map((seed) => createStudy({ ...options, sampler: new QMCSampler({ seed }) })),
  );
  for (let i = 0; i < 6; i++) {
    await workers[i % 2]!.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 1 });
  }
  expect(workers[0]!.trials.slice(1).map(({ params }) => params['x'])).toEqual([0, 0.5, 0.75, 0.25, 0.375]);
});
