import { describe, expect, it } from 'vitest';
import { TrialPruned } from '../errors';
import { HyperbandPruner } from '../pruner/hyperband-pruner';
import { MedianPruner } from '../pruner/median-pruner';
import { NopPruner } from '../pruner/nop-pruner';
import { PercentilePruner } from '../pruner/percentile-pruner';
import { type Pruner } from '../pruner/pruner';
import { SuccessiveHalvingPruner } from '../pruner/successive-halving-pruner';
import { GridSampler } from '../sampler/grid-sampler';
import { RandomSampler } from '../sampler/random-sampler';
import { type Sampler } from '../sampler/sampler';
import { TPESampler } from '../sampler/tpe/tpe-sampler';
import { expectTrials } from '../testing/expect-trials';
import { goldens } from '../testing/optuna-goldens';
import { type Trial } from '../trial/trial';
import { createStudy } from './create-study';

const logger = { info: () => undefined, warn: () => undefined };

const tpe = (seed: number): Sampler => new TPESampler({ seed });
const independent = (seed: number): Sampler => new TPESampler({ seed, multivariate: false });
const uniform = (seed: number): Sampler => new RandomSampler({ seed });

/** The settings of tools/python/golden/search_cases.py. */
const settings: Record<string, [sampler: (seed: number) => Sampler, pruner: Pruner]> = {
  'tpe-multivariate': [tpe, new NopPruner()],
  'tpe-independent': [independent, new MedianPruner()],
  'tpe-hyperband': [tpe, new HyperbandPruner({ maxResource: 9 })],
  median: [uniform, new MedianPruner({ nStartupTrials: 3, nWarmupSteps: 2, intervalSteps: 3 })],
  percentile: [uniform, new PercentilePruner({ percentile: 25, nMinTrials: 8 })],
  'halving-auto': [uniform, new SuccessiveHalvingPruner()],
  halving: [uniform, new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 2, minEarlyStoppingRate: 1 })],
  'halving-bootstrap': [
    uniform,
    new SuccessiveHalvingPruner({ minResource: 2, reductionFactor: 3, bootstrapCount: 3 }),
  ],
  hyperband: [uniform, new HyperbandPruner({ minResource: 1, maxResource: 27, reductionFactor: 3 })],
  'hyperband-auto': [uniform, new HyperbandPruner({ reductionFactor: 2 })],
};

function noise(trialNumber: number, step: number): number {
  return ((trialNumber * 7919 + step * 104729 + 13) % 1000) / 1000;
}

function objective(trial: Trial, steps: number, withNan: boolean): number {
  const x = trial.suggestFloat('x', 1e-3, 1, { log: true });
  const k = trial.suggestInt('k', 1, 9);
  const c = trial.suggestCategorical('c', ['a', 'b', 'c']);
  const y = c === 'b' ? trial.suggestFloat('y', 0, 1, { step: 0.1 }) : 0.5;
  const n = trial.suggestInt('n', 1, 64, { log: true });
  let value = 0;
  for (let step = 0; step < steps; step++) {
    value =
      (Math.abs(Math.log10(x) + 1.5) + 0.1 * k + 0.2 * y + 0.01 * n + 0.3 * noise(trial.number, step)) *
      (1 - (0.5 * step) / steps);
    if (withNan && (trial.number + step) % 17 === 0) value = NaN;
    trial.report(value, step);
    if (trial.shouldPrune()) throw new TrialPruned();
  }
  return withNan && trial.number % 11 === 5 ? NaN : value;
}

describe("Optuna's own studies, repeated from their seeds", () => {
  it.each(goldens.studies)('$name', async ({ name, seed, steps, nan, direction, trials }) => {
    const [sampler, pruner] = settings[name]!;
    const study = await createStudy({ studyName: name, sampler: sampler(seed), pruner, direction, logger });
    await study.optimize((trial) => objective(trial, steps, nan), { nTrials: trials.length });
    expectTrials(study.trials, trials);
  });

  it('by ask and tell: four trials at once, failures, a constraint, an enqueued trial', async () => {
    const study = await createStudy({ sampler: new TPESampler({ seed: goldens.asked.seed }), logger });
    await study.enqueueTrial({ x: 0.5, c: 'c' });
    const open: { trial: Trial; value: number }[] = [];
    for (let i = 0; i < 40; i++) {
      const trial = await study.ask();
      const x = trial.suggestFloat('x', 0, 1);
      const c = trial.suggestCategorical('c', ['a', 'b', 'c']);
      const k = trial.suggestInt('k', 0, 30, { step: 5 });
      if (i % 6 === 2) trial.setConstraint('limit', x - 0.5);
      open.push({ trial, value: (x - 0.3) ** 2 + { a: 0.1, b: 0, c: 0.2 }[c] + Math.abs(k - 15) / 100 });
      if (open.length === 4) {
        const [ended] = open.splice((i * 7) % 4, 1);
        if (i % 9 === 4) await study.tell(ended!.trial, undefined, { state: 'FAIL' });
        else await study.tell(ended!.trial, ended!.value);
      }
    }
    expectTrials(study.trials, goldens.asked.trials);
    expect(study.bestTrial.number).toBe(goldens.asked.best);
  });

  it('with names that JavaScript takes for indices', async () => {
    const study = await createStudy({
      sampler: new TPESampler({ seed: goldens.index_names.seed, nStartupTrials: 4 }),
      logger,
    });
    await study.optimize(
      (trial) =>
        trial.suggestFloat('10', 0, 1) +
        trial.suggestCategorical('b', [1, 2, 3]) * trial.suggestInt('2', 1, 9) -
        trial.suggestFloat('1', 1, 5),
      { nTrials: 16 },
    );
    expectTrials(study.trials, goldens.index_names.trials);
    expect(study.trials.map(({ params }) => Object.keys(params))).toEqual(goldens.index_names.names);
  });

  it('over a grid, each point once', async () => {
    const sampler = new GridSampler({ b: [4, 8, 16], a: [0.1, 0.2], z: ['u', 'v'] }, { seed: goldens.grid.seed });
    const study = await createStudy({ sampler, logger });
    await study.optimize(
      (trial) =>
        trial.suggestCategorical('b', [4, 8, 16]) +
        trial.suggestFloat('a', 0, 1) +
        trial.suggestCategorical('z', ['u', 'v']).length,
    );
    expect(study.trials.map(({ params }) => params)).toEqual(goldens.grid.params);
    expect(sampler.isExhausted(study)).toBe(true);
  });
});
