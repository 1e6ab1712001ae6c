import { describe, expect, it } from 'vitest';
import { TrialPruned } from '../errors';
import { recordingLogger } from '../testing/logger';
import { PerTrialSampler } from '../sampler/per-trial-sampler';
import { TPESampler } from '../sampler/tpe/tpe-sampler';
import { InMemoryStorage } from '../storage/in-memory-storage';
import { TextJournalBackend } from '../storage/journal/backend';
import { JournalStorage } from '../storage/journal/journal-storage';
import { startedTrial } from '../storage/storage';
import { createStudy, loadStudy } from './create-study';

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

describe('maxTrials', () => {
  it('counts earlier runs and other workers, and not what repeats a failed trial', async () => {
    const { study } = await newStudy();
    await study.optimize(() => 1, { nTrials: 2 });
    await study.ask();
    await study.failRunningTrials({ retry: true });
    // Trial 2 failed and waits as trial 3: it is repeated, and one more makes four in all.
    const summary = await study.optimize(() => 1, { maxTrials: 4 });
    expect(summary.complete).toBe(2);
    expect(study.trials.map(({ state }) => state)).toEqual(['COMPLETE', 'COMPLETE', 'FAIL', 'COMPLETE', 'COMPLETE']);
    expect(await study.optimize(() => 1, { maxTrials: 4 })).toMatchObject({ complete: 0 });
    await expect(study.optimize(() => 1, { maxTrials: 0 })).rejects.toThrow(
      /maxTrials must be an integer of at least 1/,
    );
  });

  it('waits for the last trials of others, and takes over what a dead one has left', async () => {
    const journal = new TextJournalBackend();
    const heartbeat = { intervalMs: 5, graceMs: 20 };
    const open = () =>
      createStudy({
        studyName: 's',
        storage: new JournalStorage(journal, { heartbeat }),
        loadIfExists: true,
        logger: recordingLogger(),
      });
    const dead = await open();
    const left = await dead.ask();
    left.suggestFloat('x', 0, 1);
    await dead.storage.recordHeartbeat!(left.id);
    const study = await open();
    const values: number[] = [];
    await study.optimize(
      (trial) => {
        values.push(trial.suggestFloat('x', 0, 1));
        return 0;
      },
      { maxTrials: 1 },
    );
    expect(values).toEqual([left.params['x']]);
    expect(study.trials.map(({ state }) => state)).toEqual(['FAIL', 'COMPLETE']);
  });

  it('does not wait for one without a heartbeat that began before the grace period', async () => {
    const storage = new JournalStorage(new TextJournalBackend(), { heartbeat: { intervalMs: 5, graceMs: 10_000 } });
    const study = await createStudy({ storage, logger: recordingLogger() });
    await storage.createTrial(study.id, { ...startedTrial(), datetimeStart: new Date(Date.now() - 11_000) });
    await study.optimize(() => 0, { maxTrials: 2 });
    expect(study.trials.map(({ state }) => state)).toEqual(['RUNNING', 'COMPLETE']);
  });
});

it('is not taken for stale by the heartbeat of its worker before, when it has just been taken up', async () => {
  const storage = new JournalStorage(new TextJournalBackend(), { heartbeat: { intervalMs: 5, graceMs: 10_000 } });
  const study = await createStudy({ storage, logger: recordingLogger() });
  const left = await study.ask();
  left.setSystemAttr('heartbeat', Date.now() - 11_000);
  await study.requeueTrial(left);
  expect((await study.ask()).number).toBe(0);
  expect(await study.failStaleTrials()).toEqual([]);
});

it.each(['returns', 'reports'])('goes on after a trial that another worker took over, when it %s', async (how) => {
  const journal = new TextJournalBackend();
  const logger = recordingLogger();
  const study = await createStudy({ studyName: 's', storage: new JournalStorage(journal), logger });
  const other = await loadStudy({ storage: new JournalStorage(journal) });
  const ended: number[] = [];
  const summary = await study.optimize(
    async (trial) => {
      if (trial.number > 0) return 1;
      await other.refresh();
      await other.tell(0, undefined, { state: 'FAIL' });
      await study.refresh();
      if (how === 'reports') trial.report(0.5, 0);
      return 0;
    },
    { nTrials: 2, callbacks: [(_study, { number }) => void ended.push(number)] },
  );
  expect(study.trials.map(({ state, value }) => [state, value])).toEqual([
    ['FAIL', undefined],
    ['COMPLETE', 1],
  ]);
  expect(summary).toMatchObject({ complete: 1, failed: 0 });
  expect(ended).toEqual([1]);
  expect(logger.warnings).toEqual([expect.stringContaining('trial 0 was taken over by another worker')]);
});

describe('an interrupted trial', () => {
  it('goes back into the queue as it is, and is gone on with', async () => {
    const { study } = await newStudy();
    const gone = new Error('the device is gone');
    const run = (fails: boolean) =>
      study.optimize(
        (trial) => {
          const x = trial.suggestFloat('x', 0, 1);
          if (trial.number === 1 && fails) throw gone;
          return x;
        },
        { maxTrials: 3, interrupted: (error) => error === gone },
      );
    await expect(run(true)).rejects.toBe(gone);
    const [, interrupted] = study.trials;
    expect(interrupted).toMatchObject({ number: 1, state: 'WAITING' });
    await run(false);
    expect(study.trials.map(({ state }) => state)).toEqual(['COMPLETE', 'COMPLETE', 'COMPLETE']);
    expect(study.trials[1]!.value).toBe(interrupted!.params['x']);
  });

  it('is one that a signal met between its start and its objective', async () => {
    const { study } = await newStudy();
    const stop = new AbortController();
    const running = study.optimize(() => 1, {
      signal: stop.signal,
      onTrialStart: () => stop.abort('SIGINT'),
      interrupted: () => false,
    });
    await expect(running).rejects.toBe('SIGINT');
    expect(study.trials.map(({ state }) => state)).toEqual(['WAITING']);
  });
});

it('draws the same trials however often it was stopped, by a seed for each', async () => {
  const search = async (runs: number[]) => {
    const storage = new InMemoryStorage();
    for (const nTrials of runs) {
      const sampler = new PerTrialSampler(5, (seed) => new TPESampler({ seed, nStartupTrials: 3 }));
      const logger = recordingLogger();
      const study = await createStudy({ studyName: 's', storage, sampler, loadIfExists: true, logger });
      await study.optimize((trial) => trial.suggestFloat('x', 0, 1) * trial.suggestInt('k', 1, 9), { nTrials });
    }
    return storage.getTrials(0).map(({ params }) => params);
  };
  const whole = await search([9]);
  expect(await search([2, 1, 4, 2])).toEqual(whole);
  expect(new Set(whole.map(({ x }) => x)).size).toBe(9);
});
