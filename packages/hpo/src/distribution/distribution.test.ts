import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldens } from '../testing/optuna-goldens';
import {
  categoricalDistribution,
  type CategoricalChoice,
  checkCompatible,
  contains,
  type Distribution,
  floatDistribution,
  intDistribution,
  isSingle,
  sameDistribution,
  toExternal,
  toInternal,
} from './distribution';
import { distributionFromJson, distributionToJson } from './json';

describe('floatDistribution', () => {
  it('lowers high to what whole steps reach, in decimal arithmetic', () => {
    for (const [low, high, step, adjusted] of goldens.adjusted_high) {
      expect(floatDistribution({ low, high, step }).high, `${low}..${high} by ${step}`).toBe(adjusted);
    }
  });

  it.each([
    [{ low: 2, high: 1 }, /low must not be above high/],
    [{ low: NaN, high: 1 }, /low must be a finite number, but is NaN/],
    [{ low: 0, high: Infinity }, /high must be a finite number/],
    [{ low: 0, high: 1, log: true }, /low must be above 0 with log/],
    [{ low: 1, high: 2, log: true, step: 0.5 }, /step has no meaning with log/],
    [{ low: 0, high: 1, step: 0 }, /step must be a finite number above 0/],
    [{ low: 0, high: 1, step: -1 }, /above 0, but is -1/],
  ])('refuses %j', (options, message) => {
    expect(() => floatDistribution(options)).toThrow(message);
  });
});

describe('intDistribution', () => {
  it('lowers high to what whole steps reach', () => {
    expect(intDistribution({ low: 0, high: 20, step: 7 }).high).toBe(14);
    expect(intDistribution({ low: -3, high: -3 }).high).toBe(-3);
  });

  it.each([
    [{ low: 0.5, high: 2 }, /must be integers within 2 \*\* 53, but one is 0.5/],
    [{ low: 0, high: 2 ** 53 }, /within 2 \*\* 53/],
    [{ low: -(2 ** 53) + 1, high: 2 ** 53 - 1 }, /wider than 2 \*\* 53/],
    [{ low: 0, high: 5, log: true }, /low must be at least 1 with log/],
    [{ low: 1, high: 5, log: true, step: 2 }, /step must be 1 with log/],
  ])('refuses %j', (options, message) => {
    expect(() => intDistribution(options)).toThrow(message);
  });
});

describe('categoricalDistribution', () => {
  it.each([[[]], [[{}]], [[undefined]], ['abc'], [null]])('refuses %j', (choices) => {
    expect(() => categoricalDistribution(choices as unknown as CategoricalChoice[])).toThrow(/choice/);
  });

  it('does not change with the array it was made from', () => {
    const choices = [4, 8];
    const distribution = categoricalDistribution(choices);
    choices.push(16);
    expect(distribution.choices).toEqual([4, 8]);
  });

  it('finds choices by value, NaN included, and refuses others', () => {
    const distribution = categoricalDistribution([null, 'x', NaN, true]);
    expect([null, 'x', NaN, true].map((value) => toInternal(distribution, value, 'c'))).toEqual([0, 1, 2, 3]);
    expect(() => toInternal(distribution, 1, 'c')).toThrow(/parameter "c" must be one of/);
  });
});

it('knows what lies in a distribution', () => {
  const grid = floatDistribution({ low: 0, high: 1, step: 0.1 });
  expect([0, 0.1 + 0.2, 1].map((value) => contains(grid, value))).toEqual([true, true, true]);
  expect([0.05, 1.1, -0.1, NaN].map((value) => contains(grid, value))).toEqual([false, false, false, false]);
  const whole = intDistribution({ low: 100, high: 500, step: 50 });
  expect([100, 350, 500, 125, 550].map((value) => contains(whole, value))).toEqual([true, true, true, false, false]);
});

it('knows when there is nothing to choose', () => {
  expect(isSingle(floatDistribution({ low: 1, high: 1 }))).toBe(true);
  expect(isSingle(floatDistribution({ low: 0, high: 0.9, step: 1 }))).toBe(true);
  expect(isSingle(floatDistribution({ low: 0, high: 1, step: 1 }))).toBe(false);
  expect(isSingle(intDistribution({ low: 0, high: 4, step: 5 }))).toBe(true);
  expect(isSingle(categoricalDistribution([null]))).toBe(true);
});

it('allows other bounds for a name, and nothing else', () => {
  const before = intDistribution({ low: 1, high: 5 });
  const check = (now: Distribution) => () => checkCompatible({ name: 'k', before, now });
  expect(check(intDistribution({ low: 3, high: 50, step: 2 }))).not.toThrow();
  expect(check(floatDistribution({ low: 1, high: 5 }))).toThrow(/parameter "k" changed its kind/);
  expect(check(intDistribution({ low: 1, high: 5, log: true }))).toThrow(/changed its log/);
  const choices = categoricalDistribution([1, 2]);
  expect(() => checkCompatible({ name: 'c', before: choices, now: categoricalDistribution([2, 1]) })).toThrow(
    /changed its choices/,
  );
});

describe('as JSON', () => {
  it('is what Optuna writes', () => {
    for (const text of Object.values(goldens.distributions)) {
      expect(JSON.parse(distributionToJson(distributionFromJson(text)))).toEqual(JSON.parse(text));
    }
    expect(distributionToJson(floatDistribution({ low: 1e-5, high: 2 }))).toBe(
      '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.00001, "high": 2.0, "log": false}}',
    );
  });

  it('comes back the same', () => {
    const choice = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null));
    const any = fc.oneof(
      fc.array(choice, { minLength: 1 }).map(categoricalDistribution),
      fc
        .tuple(fc.integer({ min: 1, max: 1e6 }), fc.nat(1e6), fc.boolean())
        .map(([low, wide, log]) => intDistribution({ low, high: low + wide, log })),
      fc
        .tuple(
          fc.double({ min: 1e-8, max: 1e8, noNaN: true }),
          fc.double({ min: 0, max: 1e8, noNaN: true }),
          fc.boolean(),
        )
        .map(([low, wide, log]) => floatDistribution({ low, high: low + wide, log })),
    );
    fc.assert(
      fc.property(any, (distribution) => {
        expect(sameDistribution(distributionFromJson(distributionToJson(distribution)), distribution)).toBe(true);
      }),
    );
  });

  it.each([
    ['{"name": "UniformDistribution", "attributes": {"low": 0.0, "high": 1.0}}', { low: 0, high: 1 }],
    ['{"name": "LogUniformDistribution", "attributes": {"low": 0.1, "high": 1.0}}', { low: 0.1, high: 1, log: true }],
    [
      '{"name": "DiscreteUniformDistribution", "attributes": {"low": 0, "high": 1, "q": 0.25}}',
      { low: 0, high: 1, step: 0.25 },
    ],
    ['{"type": "float", "low": 0, "high": 1, "step": 0.5}', { low: 0, high: 1, step: 0.5 }],
  ])('reads the older %s', (text, options) => {
    expect(distributionFromJson(text)).toEqual(floatDistribution(options));
  });

  it('reads older and short integers and choices', () => {
    expect(
      distributionFromJson('{"name": "IntUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 2}}'),
    ).toEqual(intDistribution({ low: 1, high: 9, step: 2 }));
    expect(
      distributionFromJson('{"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 1}}'),
    ).toEqual(intDistribution({ low: 1, high: 9, log: true }));
    expect(distributionFromJson('{"type": "categorical", "choices": [1, "a"]}')).toEqual(
      categoricalDistribution([1, 'a']),
    );
  });

  it.each([
    ['', /must be JSON/],
    ['[]', /must be an object/],
    ['{}', /unknown distribution undefined/],
    ['{"name": "constructor", "attributes": {}}', /unknown distribution "constructor"/],
    ['{"name": {"toString": 1}}', /unknown distribution/],
    ['{"name": "FloatDistribution"}', /attributes of a distribution must be an object/],
    ['{"name": "FloatDistribution", "attributes": {"low": "0", "high": 1}}', /low of a distribution must be a number/],
    [
      '{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "log": "no"}}',
      /log of a distribution must be a boolean/,
    ],
    ['{"name": "FloatDistribution", "attributes": {"low": 0, "high": Infinity}}', /high must be a finite number/],
    ['{"name": "IntDistribution", "attributes": {"low": 0, "high": 1e300}}', /must be integers within/],
    ['{"name": "CategoricalDistribution", "attributes": {"choices": [[1]]}}', /a choice must be/],
    ['{"name": "CategoricalDistribution", "attributes": {}}', /choices must be an array/],
  ])('refuses %s', (text, message) => {
    expect(() => distributionFromJson(text)).toThrow(message);
  });

  it('gives whole numbers back for integers that came as floats', () => {
    expect(toExternal(intDistribution({ low: 0, high: 9 }), 3.0)).toBe(3);
    expect(toExternal(categoricalDistribution(['a', 'b']), 1.0)).toBe('b');
  });
});
