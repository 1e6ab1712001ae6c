import { describe, expect, it } from 'vitest';
import { HpoError } from '../errors';
import { RandomSampler } from '../sampler/random-sampler';
import { createStudy } from '../study/create-study';
import { recordingLogger } from '../testing/logger';

async function newTrial(seed = 0) {
  const logger = recordingLogger();
  const study = await createStudy({ sampler: new RandomSampler({ seed }), logger });
  return { study, logger, trial: await study.ask() };
}

describe('suggesting', () => {
  it('gives the same value for the same name', async () => {
    const { trial, logger } = await newTrial();
    const first = trial.suggestFloat('x', 0, 1);
    expect(trial.suggestFloat('x', 0, 1)).toBe(first);
    expect(logger.warnings).toEqual([]);
    expect(trial.suggestFloat('x', 5, 6)).toBe(first);
    expect(logger.warnings).toEqual([expect.stringMatching(/trial 0 asked for "x" again with another range/)]);
    expect(trial.params).toEqual({ x: first });
  });

  it('refuses another kind for a name, in one trial and across trials', async () => {
    const { study, trial } = await newTrial();
    trial.suggestInt('x', 0, 5);
    expect(() => trial.suggestFloat('x', 0, 5)).toThrow(/parameter "x" changed its kind/);
    const second = await study.ask();
    expect(() => second.suggestCategorical('x', [0, 1])).toThrow(HpoError);
    expect(() => second.suggestInt('x', 1, 5, { log: true })).toThrow(/changed its log/);
    expect(second.params).toEqual({});
    expect(second.suggestInt('x', 100, 101)).toBeGreaterThanOrEqual(100);
  });

  it('takes the only value there is without a draw', async () => {
    const { trial } = await newTrial(3);
    const { trial: other } = await newTrial(3);
    expect(trial.suggestFloat('one', 2, 2)).toBe(2);
    expect(trial.suggestInt('two', 0, 4, { step: 5 })).toBe(0);
    expect(trial.suggestCategorical('three', ['only'])).toBe('only');
    expect(trial.suggestFloat('x', 0, 1)).toBe(other.suggestFloat('x', 0, 1));
  });

  it('takes names that objects have by themselves', async () => {
    const { trial } = await newTrial();
    for (const name of ['constructor', '__proto__', 'toString', '']) trial.suggestInt(name, 1, 3);
    expect(Object.keys(trial.params)).toEqual(['constructor', '__proto__', 'toString', '']);
    expect(trial.suggestInt('__proto__', 1, 3)).toBe(trial.params['__proto__']);
  });
});

describe('an enqueued trial', () => {
  it('uses its parameters and samples the others', async () => {
    const { study, logger } = await newTrial();
    await study.enqueueTrial({ x: 0.25, c: 'b' }, { userAttrs: { from: 'me' } });
    const trial = await study.ask();
    expect(trial.number).toBe(1);
    expect(trial.userAttrs).toEqual({ from: 'me' });
    expect(trial.suggestFloat('x', 0, 1)).toBe(0.25);
    expect(trial.suggestCategorical('c', ['a', 'b'])).toBe('b');
    expect(trial.suggestInt('k', 1, 9)).toBeGreaterThanOrEqual(1);
    expect(logger.warnings).toEqual([]);
  });

  it('says when a parameter is out of range, and uses it', async () => {
    const { study, logger } = await newTrial();
    await study.enqueueTrial({ x: 7, c: 'z' });
    const trial = await study.ask();
    expect(trial.suggestFloat('x', 0, 1)).toBe(7);
    expect(logger.warnings).toEqual([expect.stringMatching(/the enqueued "x" = 7 is used although it is outside/)]);
    expect(() => trial.suggestCategorical('c', ['a', 'b'])).toThrow(
      /parameter "c" must be one of \["a","b"\], but is "z"/,
    );
  });

  it('is left out where it is there already', async () => {
    const { study } = await newTrial();
    await study.enqueueTrial({ x: 1, c: 'a' });
    await study.enqueueTrial({ x: 1 + 1e-9, c: 'a' }, { skipIfExists: true });
    expect(study.getTrials(['WAITING'])).toHaveLength(1);
    await study.enqueueTrial({ x: 1.01, c: 'a' }, { skipIfExists: true });
    await study.enqueueTrial({ x: 1 }, { skipIfExists: true });
    await study.enqueueTrial({ x: 1, c: 'b' }, { skipIfExists: true });
    expect(study.getTrials(['WAITING'])).toHaveLength(4);
  });
});

describe('reporting', () => {
  it('keeps the first value of a step', async () => {
    const { study, trial, logger } = await newTrial();
    trial.report(1, 3);
    trial.report(NaN, 0);
    trial.report(2, 3);
    expect([...study.trials[0]!.intermediateValues]).toEqual([
      [3, 1],
      [0, NaN],
    ]);
    expect(logger.warnings).toEqual(['trial 0 reported step 3 again; its first value counts, 2 is dropped']);
  });

  it('refuses what is no number and no step', async () => {
    const { trial } = await newTrial();
    expect(() => trial.report('1' as unknown as number, 0)).toThrow(/a reported value must be a number, but is "1"/);
    for (const step of [-1, 0.5, NaN]) expect(() => trial.report(1, step)).toThrow(/a step must be an integer/);
  });
});

it('keeps attributes as copies', async () => {
  const { study, trial } = await newTrial();
  const attribute = { list: [1] };
  trial.setUserAttr('a', attribute);
  attribute.list.push(2);
  expect(study.trials[0]!.userAttrs).toEqual({ a: { list: [1] } });
  expect(() => trial.setUserAttr('b', (() => 1) as unknown as null)).toThrow(/user attribute "b" must be made of/);
});

it('sets a constraint once', async () => {
  const { study, trial, logger } = await newTrial();
  trial.setConstraint('memory', 2);
  trial.setConstraint('memory', -1);
  expect(study.trials[0]!.systemAttrs).toEqual({ 'constraints:memory': 2 });
  expect(logger.warnings).toHaveLength(1);
  expect(() => trial.setConstraint('time', NaN)).toThrow(/constraint "time" must be a number/);
});

it('can change nothing once it has ended', async () => {
  const { study, trial } = await newTrial();
  await study.tell(trial, 1);
  for (const change of [
    () => trial.report(1, 0),
    () => trial.suggestFloat('x', 0, 1),
    () => trial.setUserAttr('a', 1),
    () => trial.setConstraint('c', 1),
  ]) {
    expect(change).toThrow(/trial 0 has already ended \(COMPLETE\)/);
  }
});
