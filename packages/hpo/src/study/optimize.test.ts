import { describe, expect, it } from 'vitest';
import { TrialPruned } from '../errors';
import { recordingLogger } from '../testing/logger';
import { createStudy } from './create-study';

const newStudy = async () => {
  const logger = recordingLogger();
  return { study: await createStudy({ logger }), logger };
};

describe('optimize', () => {
  it('counts what came of the trials, and says why some failed', async () => {
    const { study, logger } = await newStudy();
    const summary = await study.optimize(
      (trial) => {
        if (trial.number === 1) {
          trial.report(0.25, 0);
          throw new TrialPruned();
        }
        if (trial.number === 2) return NaN;
        if (trial.number === 3) throw new RangeError('boom');
        return trial.number;
      },
      { nTrials: 5, catch: [SyntaxError, RangeError] },
    );
    expect(summary).toEqual({
      complete: 2,
      pruned: 1,
      failed: 2,
      failures: [
        { number: 2, reason: 'the value NaN is not acceptable' },
        { number: 3, reason: 'RangeError: boom' },
      ],
    });
    expect(study.trials.map(({ state, value }) => [state, value])).toEqual([
      ['COMPLETE', 0],
      ['PRUNED', 0.25],
      ['FAIL', undefined],
      ['FAIL', undefined],
      ['COMPLETE', 4],
    ]);
    expect(study.trials[3]!.systemAttrs).toEqual({ fail_reason: 'RangeError: boom' });
    expect(logger.warnings).toHaveLength(2);
    expect(logger.infos).toHaveLength(3);
    for (const trial of study.trials) expect(trial.datetimeComplete).toBeInstanceOf(Date);
  });

  it('ends with an error that is not caught, after the trial has failed', async () => {
    const { study } = await newStudy();
    const boom = new TypeError('boom');
    const callbacks: number[] = [];
    const running = study.optimize(
      (trial) => {
        if (trial.number === 1) throw boom;
        return 0;
      },
      { nTrials: 9, catch: RangeError, callbacks: [(_, trial) => void callbacks.push(trial.number)] },
    );
    await expect(running).rejects.toBe(boom);
    expect(study.trials.map(({ state }) => state)).toEqual(['COMPLETE', 'FAIL']);
    expect(callbacks).toEqual([0]);
    await expect(study.optimize(() => 1, { nTrials: 1 })).resolves.toMatchObject({ complete: 1 });
  });

  it('calls back after each trial, in order, and waits for it', async () => {
    const { study } = await newStudy();
    const events: string[] = [];
    await study.optimize((trial) => (events.push(`run ${trial.number}`), 1), {
      nTrials: 2,
      onTrialStart: (_, trial) => void events.push(`start ${trial.number}`),
      callbacks: [
        async (_, trial) => {
          await Promise.resolve();
          events.push(`a ${trial.number} ${trial.state}`);
        },
        (_, trial) => void events.push(`b ${trial.number}`),
      ],
    });
    expect(events).toEqual(
      [0, 1].flatMap((number) => [`start ${number}`, `run ${number}`, `a ${number} COMPLETE`, `b ${number}`]),
    );
  });

  it('stops when asked to, from the objective or a callback', async () => {
    const { study } = await newStudy();
    await study.optimize((trial) => (trial.number === 2 && study.stop(), 1));
    expect(study.trials).toHaveLength(3);
    await study.optimize(() => 1, { callbacks: [() => study.stop()] });
    expect(study.trials).toHaveLength(4);
    expect(() => study.stop()).toThrow(/nothing is being optimised/);
  });

  it('starts nothing once the time is over', async () => {
    const { study } = await newStudy();
    await study.optimize(() => 1, { timeoutMs: 0 });
    expect(study.trials).toHaveLength(0);
  });

  it('is not nested', async () => {
    const { study } = await newStudy();
    await expect(study.optimize(() => study.optimize(() => 1).then(() => 1), { nTrials: 1 })).rejects.toMatchObject({
      code: 'NESTED_OPTIMIZE',
    });
    expect(study.trials.map(({ state }) => state)).toEqual(['FAIL']);
  });

  it('runs several trials at once', async () => {
    const { study } = await newStudy();
    let running = 0;
    let most = 0;
    await study.optimize(
      async (trial) => {
        most = Math.max(most, ++running);
        for (let turn = 0; turn < 3 + (trial.number % 4); turn++) await Promise.resolve();
        running--;
        return trial.suggestFloat('x', 0, 1);
      },
      { nTrials: 20, nJobs: 4 },
    );
    expect(most).toBe(4);
    expect(study.trials.map(({ state }) => state)).toEqual(Array.from({ length: 20 }, () => 'COMPLETE'));
  });

  it('lets the other jobs end their trials before an error comes out', async () => {
    const { study } = await newStudy();
    const running = study.optimize(
      async (trial) => {
        if (trial.number === 0) throw new Error('first');
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        return 1;
      },
      { nTrials: 10, nJobs: 3 },
    );
    await expect(running).rejects.toThrow('first');
    expect(study.trials.map(({ state }) => state)).toEqual(['FAIL', 'COMPLETE', 'COMPLETE']);
  });

  it.each([
    [{ nTrials: -1 }, /nTrials must be an integer of at least 0/],
    [{ nTrials: 1.5 }, /nTrials/],
    [{ nJobs: 0 }, /nJobs must be an integer of at least 1/],
    [{ timeoutMs: NaN }, /timeoutMs must be a number of at least 0/],
  ])('refuses %j', async (options, message) => {
    const { study } = await newStudy();
    await expect(study.optimize(() => 1, options)).rejects.toThrow(message);
    expect(study.trials).toHaveLength(0);
  });
});

describe('an abort', () => {
  it('fails the trials under way at once and throws the reason', async () => {
    const { study } = await newStudy();
    const controller = new AbortController();
    const reason = new Error('enough');
    let late: (() => void) | undefined;
    const running = study.optimize(
      async (trial) => {
        if (trial.number < 2) return 1;
        controller.abort(reason);
        await new Promise<void>((resolve) => (late = resolve));
        trial.report(1, 0);
        return 2;
      },
      { nTrials: 9, signal: controller.signal, catch: Error },
    );
    await expect(running).rejects.toBe(reason);
    expect(study.trials.map(({ state }) => state)).toEqual(['COMPLETE', 'COMPLETE', 'FAIL']);
    expect(study.trials[2]!.systemAttrs).toEqual({ fail_reason: 'Error: enough' });
    // What the objective still does is refused, and its rejection is nobody's unhandled one.
    late!();
    await new Promise((resolve) => setImmediate(resolve));
    expect(study.trials[2]!.intermediateValues.size).toBe(0);
    await expect(study.optimize(() => 1, { nTrials: 1 })).resolves.toMatchObject({ complete: 1 });
  });

  it('before the start starts nothing', async () => {
    const { study } = await newStudy();
    await expect(study.optimize(() => 1, { nTrials: 3, signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(study.trials).toHaveLength(0);
  });

  it('gets through between trials that never wait', async () => {
    const { study } = await newStudy();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 0);
    await expect(study.optimize(() => 1, { signal: controller.signal })).rejects.toThrow(/abort/i);
    expect(study.getTrials(['RUNNING'])).toHaveLength(0);
  });

  it('ends as an abort even where the objective turns it into a pruning', async () => {
    const { study } = await newStudy();
    const controller = new AbortController();
    const running = study.optimize(
      () => {
        controller.abort();
        throw new TrialPruned();
      },
      { nTrials: 2, signal: controller.signal },
    );
    await expect(running).rejects.toThrow(/abort/i);
    expect(study.trials.map(({ state }) => state)).toEqual(['FAIL']);
  });
});
