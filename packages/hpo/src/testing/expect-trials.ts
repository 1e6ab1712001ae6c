import { expect } from 'vitest';
import { type FrozenTrial } from '../trial/frozen-trial';
import { type GoldenTrial } from './optuna-goldens';

/** Holds trials to recorded ones: states, reports, parameters and values. */
export function expectTrials(trials: readonly FrozenTrial[], wanted: readonly GoldenTrial[]): void {
  expect(trials.map(({ state, intermediateValues }) => `${state} ${intermediateValues.size}`)).toEqual(
    wanted.map(({ state, reports }) => `${state} ${reports}`),
  );
  for (const [number, { params, value }] of wanted.entries()) {
    const trial = trials[number]!;
    expect(Object.keys(trial.params).sort(), `trial ${number}`).toEqual(Object.keys(params).sort());
    for (const [name, param] of Object.entries(params)) {
      if (typeof param === 'number') expect(trial.params[name], `${name} of ${number}`).toBeCloseTo(param, 9);
      else expect(trial.params[name], `${name} of ${number}`).toBe(param);
    }
    if (value === null) expect(trial.value).toBeUndefined();
    else expect(trial.value, `value of ${number}`).toBeCloseTo(value, 9);
  }
}
