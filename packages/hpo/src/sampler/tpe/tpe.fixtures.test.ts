import { describe, expect, it } from 'vitest';
import { type SearchSpace, toInternal } from '../../distribution/distribution';
import { createStudy } from '../../study/create-study';
import { recordedDensities, recordedStudy, referenceObjective, referenceSpace } from '../../testing/optuna-fixtures';
import { frozenTrial } from '../../testing/trials';
import { ReportedValues } from '../../trial/reported-values';
import { type TrialState } from '../../trial/frozen-trial';
import { defaultWeights, ParzenEstimator } from './parzen-estimator';
import { History } from './history';
import { defaultGamma, TPESampler } from './tpe-sampler';

const estimatorOptions = {
  priorWeight: 1,
  considerMagicClip: true,
  considerEndpoints: false,
  weights: defaultWeights,
};

describe('TPE against the recorded run of Optuna', () => {
  const [recorded, densities] = [recordedStudy, recordedDensities];
  const trials = recorded.trials.map((trial) =>
    frozenTrial({
      number: trial.number,
      state: trial.state as TrialState,
      value: trial.value ?? undefined,
      params: trial.params,
      intermediateValues: ReportedValues.of(
        Object.entries(trial.intermediate).map(([step, value]) => [Number(step), value]),
      ),
    }),
  );

  function estimator(numbers: number[], names: string[]): ParzenEstimator {
    const space: SearchSpace = Object.fromEntries(names.map((name) => [name, referenceSpace[name]!]));
    const observations = Object.fromEntries(
      names.map((name) => [
        name,
        Float64Array.from(numbers, (number) => toInternal(space[name]!, trials[number]!.params[name], name)),
      ]),
    );
    return ParzenEstimator.of(observations, space, estimatorOptions);
  }

  it('splits the trials into better and others alike', () => {
    const ended = trials.filter((trial) => trial.state === 'COMPLETE' || trial.state === 'PRUNED');
    expect(defaultGamma(densities.n_done)).toBe(densities.gamma);
    const history = new History('maximize', false);
    history.update(ended);
    const ranked = Array.from(history.ranked.values.subarray(0, history.length), (row) => history.numberOf(row));
    const byNumber = (a: number, b: number) => a - b;
    expect(ranked.slice(0, densities.gamma).sort(byNumber)).toEqual(densities.below);
    expect(ranked.slice(densities.gamma).sort(byNumber)).toEqual(densities.above);
  });

  it('gives the recorded log densities within 1e-9, and the same best candidate', () => {
    let largest = 0;
    for (const { candidates, log_l, log_g, best } of densities.cases) {
      const names = Object.keys(candidates);
      const points = Object.fromEntries(names.map((name) => [name, Float64Array.from(candidates[name]!)]));
      const better = estimator(densities.below, names).logPdf(points);
      const others = estimator(densities.above, names).logPdf(points);
      better.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - log_l[i]!))));
      others.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - log_g[i]!))));
      const ratios = Array.from(better, (value, i) => value - others[i]!);
      expect(ratios.indexOf(Math.max(...ratios))).toBe(best);
    }
    expect(largest).toBeLessThan(1e-9);
  });

  it('repeats the whole study from its seed: states, parameters, values and reports', async () => {
    const study = await createStudy({
      direction: 'maximize',
      sampler: new TPESampler({ seed: recorded.seed }),
      logger: { info: () => undefined, warn: () => undefined },
    });
    await study.optimize(referenceObjective, { nTrials: recorded.trials.length, catch: RangeError });
    expect(study.trials.map(({ state }) => state)).toEqual(recorded.trials.map(({ state }) => state));
    for (const [number, { params, value, intermediate }] of recorded.trials.entries()) {
      const trial = study.trials[number]!;
      for (const [name, recordedValue] of Object.entries(params)) {
        expect(trial.params[name], `${name} of trial ${number}`).toBeCloseTo(recordedValue as number, 12);
      }
      if (value === null) expect(trial.value).toBeUndefined();
      else expect(trial.value).toBeCloseTo(value, 11);
      expect(trial.intermediateValues.size).toBe(Object.keys(intermediate).length);
    }
    expect(study.bestValue).toBeCloseTo(recorded.best_value, 11);
  });
});
