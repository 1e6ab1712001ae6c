import { describe, expect, it } from 'vitest';
import { TrialPruned } from '../errors';
import { getParamImportances } from '../importance/param-importances';
import { MedianPruner } from '../pruner/median-pruner';
import { NopPruner } from '../pruner/nop-pruner';
import { PatientPruner } from '../pruner/patient-pruner';
import { type Pruner } from '../pruner/pruner';
import { ThresholdPruner } from '../pruner/threshold-pruner';
import { BruteForceSampler } from '../sampler/brute-force/brute-force-sampler';
import { PartialFixedSampler } from '../sampler/partial-fixed-sampler';
import { QMCSampler } from '../sampler/qmc/qmc-sampler';
import { RandomSampler } from '../sampler/random-sampler';
import { type Sampler } from '../sampler/sampler';
import { TPESampler } from '../sampler/tpe/tpe-sampler';
import { expectTrials } from '../testing/expect-trials';
import { further } from '../testing/optuna-further';
import { type Trial } from '../trial/trial';
import { createStudy } from './create-study';

const logger = { info: () => undefined, warn: () => undefined };

/** tools/python/golden/search_further.py has the same objectives. */
function flat(trial: Trial): number {
  const x = trial.suggestFloat('x', 1e-5, 1, { log: true });
  const y = trial.suggestFloat('y', -1, 2, { step: 0.25 });
  const k = trial.suggestInt('k', 1, 9);
  const n = trial.suggestInt('n', 1, 64, { log: true });
  const c = trial.suggestCategorical('c', ["it's", null, true, 2.5]);
  const s = trial.suggestCategorical('s', [3]);
  return Math.log10(x) ** 2 + y + 0.1 * k + 0.01 * n + (c === null ? 0.5 : 0) + s;
}

function nested(trial: Trial): number {
  const kind = trial.suggestCategorical('kind', ['a', 'b']);
  const rate = trial.suggestFloat('lr', 1e-4, 1, { log: true });
  let value = (Math.log10(rate) + 2) ** 2;
  if (kind === 'a') value += trial.suggestFloat('a1', 0, 1) + 0.1 * trial.suggestInt('a2', 1, 5);
  else value += trial.suggestFloat('b1', 0, 2);
  if (trial.number % 5 === 3) trial.setConstraint('limit', rate - 0.1);
  return value;
}

function countable(trial: Trial): number {
  const kind = trial.suggestCategorical('kind', ['float', 'int', null]);
  if (kind === 'float') return trial.suggestFloat('x', 0, 1, { step: 0.05 });
  if (kind === 'int') {
    const a = trial.suggestInt('a', 1, 3);
    return a + trial.suggestInt('b', a, 3);
  }
  return 0.5;
}

const searches: [
  name: 'qmc_sobol' | 'qmc_halton' | 'partial_fixed' | 'group' | 'brute_force',
  sampler: (seed: number) => Sampler,
  objective: (trial: Trial) => number,
][] = [
  ['qmc_sobol', (seed) => new QMCSampler({ seed }), flat],
  ['qmc_halton', (seed) => new QMCSampler({ qmcType: 'halton', seed }), flat],
  ['partial_fixed', (seed) => new PartialFixedSampler({ k: 4, c: null }, new TPESampler({ seed })), flat],
  ['group', (seed) => new TPESampler({ seed, group: true }), nested],
  ['brute_force', (seed) => new BruteForceSampler({ seed }), countable],
];

describe("Optuna's searches, repeated from their seeds", () => {
  it.each(searches)('%s', async (name, sampler, objective) => {
    const { seed, trials, system_attrs: systemAttrs } = further[name];
    const study = await createStudy({ sampler: sampler(seed), logger });
    // The brute force ends by itself, with every combination tried.
    await study.optimize(objective, { nTrials: name === 'brute_force' ? 100 : trials.length });
    expectTrials(study.trials, trials);
    // The key under which workers count points is the same in Python.
    expect(study.systemAttrs).toEqual(systemAttrs);
  });
});

/** The pruners of tools/python/golden/search_further.py, their directions, and whether some reports are NaN. */
const prunings: Record<string, [pruner: Pruner, direction: 'minimize' | 'maximize', nan: boolean]> = {
  patient: [new PatientPruner(undefined, { patience: 2 }), 'minimize', false],
  'patient-nan': [new PatientPruner(undefined, { patience: 1, minDelta: 0.1 }), 'maximize', true],
  'patient-median': [new PatientPruner(new MedianPruner({ nStartupTrials: 2 }), { patience: 1 }), 'maximize', true],
  threshold: [new ThresholdPruner({ lower: -0.05, upper: 0.8 }), 'minimize', false],
  'threshold-interval': [new ThresholdPruner({ upper: 0.6, nWarmupSteps: 2, intervalSteps: 3 }), 'minimize', true],
};

describe("Optuna's prunings, repeated", () => {
  const curve = (number: number, step: number) => ((number * 31 + step * 17) % 23) / 23 - 0.02 * step;

  it.each(Object.entries(further.prunings))('%s', async (name, wanted) => {
    const [pruner, direction, nan] = prunings[name]!;
    const study = await createStudy({ sampler: new RandomSampler({ seed: 0 }), pruner, direction, logger });
    await study.optimize(
      (trial) => {
        trial.suggestFloat('x', 0, 1);
        for (let step = 0; step < 12; step++) {
          trial.report(nan && (trial.number + step) % 7 === 0 ? NaN : curve(trial.number, step), step);
          if (trial.shouldPrune()) throw new TrialPruned();
        }
        return curve(trial.number, 11);
      },
      { nTrials: wanted.length },
    );
    expect(study.trials.map(({ state, intermediateValues }) => [state, intermediateValues.size])).toEqual(wanted);
    expect(wanted.map(([state]) => state)).toContain('PRUNED');
  });
});

describe("Optuna's importances", () => {
  it.each(further.importances)('$name', async ({ name, seed, found }) => {
    const study = await createStudy({
      sampler: new RandomSampler({ seed }),
      pruner: new NopPruner(),
      direction: name === 'flat-max' ? 'maximize' : 'minimize',
      logger,
    });
    await study.optimize(name === 'nested' ? nested : flat, { nTrials: 80 });
    const expectSame = (importances: Readonly<Record<string, number>>, wanted: Record<string, number>) => {
      expect(Object.keys(importances).sort()).toEqual(Object.keys(wanted).sort());
      for (const [param, importance] of Object.entries(wanted)) {
        expect(Math.abs(importances[param]! - importance), param).toBeLessThanOrEqual(1e-6);
      }
      // The most important first.
      expect(Object.values(importances)).toEqual(Object.values(importances).sort((a, b) => b - a));
    };
    expectSame(getParamImportances(study), found.default);
    expectSame(getParamImportances(study, { targetQuantile: 0.2, regionQuantile: 0.6 }), found.local);
    expectSame(getParamImportances(study, { evaluateOnLocal: false }), found.global);
    expectSame(getParamImportances(study, { normalize: false }), found.raw);
    expectSame(getParamImportances(study, { target: ({ number }) => number % 13 }), found.target);
  });
});
