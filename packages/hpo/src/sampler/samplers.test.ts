import { describe, expect, it } from 'vitest';
import { createStudy } from '../study/create-study';
import { recordingLogger } from '../testing/logger';
import { InMemoryStorage } from '../storage/in-memory-storage';
import { GridSampler } from './grid-sampler';
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
