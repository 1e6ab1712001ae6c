import { describe, expect, it } from 'vitest';
import { createStudy } from '../study/create-study';
import { goldens } from '../testing/optuna-goldens';
import { crc32 } from './crc32';
import { HyperbandPruner } from './hyperband-pruner';
import { MedianPruner } from './median-pruner';
import { NopPruner } from './nop-pruner';
import { nanPercentile, PercentilePruner } from './percentile-pruner';
import { type Pruner } from './pruner';
import { SuccessiveHalvingPruner } from './successive-halving-pruner';

it('has percentiles as numpy.nanpercentile', () => {
  for (const [values, percentile, wanted] of goldens.percentiles) {
    expect(nanPercentile(values, percentile), `${percentile} % of ${values.join()}`).toEqual(
      Number.isNaN(wanted) ? NaN : expect.closeTo(wanted, 12),
    );
  }
});

it('has checksums as zlib', () => {
  for (const [text, wanted] of goldens.crc32) expect(crc32(text)).toBe(wanted);
});

/** Whether a new trial with these reports is pruned, after completed trials with those. */
async function pruned(pruner: Pruner, completed: number[][], reports: number[], direction: 'minimize' | 'maximize') {
  const study = await createStudy({ pruner, direction });
  for (const values of completed) {
    const trial = await study.ask();
    values.forEach((value, step) => trial.report(value, step));
    await study.tell(trial, 0);
  }
  const trial = await study.ask();
  reports.forEach((value, step) => trial.report(value, step));
  return trial.shouldPrune();
}

describe('MedianPruner', () => {
  const four = [[1], [2], [3], [4]];

  it('prunes what is worse than the median, from the fifth completed trial on', async () => {
    expect(await pruned(new MedianPruner(), four, [9], 'minimize')).toBe(false);
    const five = [...four, [5]];
    expect(await pruned(new MedianPruner(), five, [3], 'minimize')).toBe(false);
    expect(await pruned(new MedianPruner(), five, [3.001], 'minimize')).toBe(true);
    expect(await pruned(new MedianPruner(), five, [2.999], 'maximize')).toBe(true);
    expect(await pruned(new MedianPruner(), five, [3], 'maximize')).toBe(false);
  });

  it('compares the best report so far, with the others at the last step', async () => {
    const others = Array.from({ length: 5 }, () => [1, 1, 5]);
    expect(await pruned(new MedianPruner(), others, [2, 9, 9], 'minimize')).toBe(false);
    expect(await pruned(new MedianPruner(), others, [6, 9, 9], 'minimize')).toBe(true);
  });

  it('prunes what has reported nothing but NaN, and nothing that has not reported', async () => {
    const five = [...four, [5]];
    expect(await pruned(new MedianPruner(), five, [NaN], 'minimize')).toBe(true);
    expect(await pruned(new MedianPruner(), five, [], 'minimize')).toBe(false);
    expect(await pruned(new MedianPruner({ nStartupTrials: 0 }), [], [NaN], 'minimize')).toBe(false);
  });

  it('waits for the warm-up and for enough reports at the step', async () => {
    const five = [...four, [5]].map(([value]) => [value!, value!]);
    expect(await pruned(new MedianPruner({ nWarmupSteps: 2 }), five, [9, 9], 'minimize')).toBe(false);
    expect(await pruned(new MedianPruner({ nWarmupSteps: 1 }), five, [9, 9], 'minimize')).toBe(true);
    expect(await pruned(new MedianPruner({ nMinTrials: 6 }), five, [9, 9], 'minimize')).toBe(false);
    expect(await pruned(new MedianPruner(), five, [9, 9, 9], 'minimize')).toBe(false);
  });
});

it('NopPruner prunes nothing', async () => {
  expect(await pruned(new NopPruner(), [[1], [1], [1], [1], [1], [1]], [NaN], 'minimize')).toBe(false);
});

it('SuccessiveHalvingPruner keeps each rung it has passed', async () => {
  const pruner = new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 2 });
  const study = await createStudy({ pruner });
  const trial = await study.ask();
  trial.report(0.5, 4);
  expect(trial.shouldPrune()).toBe(false);
  expect(study.trials[0]!.systemAttrs).toEqual({ completed_rung_0: 0.5, completed_rung_1: 0.5, completed_rung_2: 0.5 });
});

it.each([
  [() => new PercentilePruner({ percentile: 101 }), /percentile must be from 0 to 100, but is 101/],
  [() => new PercentilePruner({ percentile: NaN }), /percentile/],
  [() => new MedianPruner({ nStartupTrials: -1 }), /nStartupTrials must be an integer of at least 0/],
  [() => new MedianPruner({ intervalSteps: 0 }), /intervalSteps must be an integer of at least 1/],
  [() => new SuccessiveHalvingPruner({ minResource: 0 }), /minResource/],
  [() => new SuccessiveHalvingPruner({ reductionFactor: 1 }), /reductionFactor must be an integer of at least 2/],
  [() => new SuccessiveHalvingPruner({ bootstrapCount: 1 }), /bootstrapCount needs a minResource/],
  [() => new HyperbandPruner({ minResource: 9, maxResource: 3 }), /maxResource must be an integer of at least 9/],
  [() => new HyperbandPruner({ bootstrapCount: 1 }), /bootstrapCount needs a maxResource/],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message);
});
