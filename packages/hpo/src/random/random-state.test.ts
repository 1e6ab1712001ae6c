import { describe, expect, it } from 'vitest';
import { goldens } from '../testing/optuna-goldens';
import { nextBelow, roundHalfEven } from './float64';
import { RandomState } from './random-state';

describe('RandomState', () => {
  it.each(goldens.random_state)('draws what numpy draws from seed $seed', (golden) => {
    const random = new RandomState(golden.seed);
    expect(golden.random.map(() => random.random())).toEqual(golden.random);
    expect(golden.uniform.map(() => random.uniform(-3, 5))).toEqual(golden.uniform);
    const items = Array.from({ length: 20 }, (_, i) => i);
    random.shuffle(items);
    expect(items).toEqual(golden.shuffled);
    expect([1, 2, 3, 5, 100, 257].map((n) => random.integer(n - 1))).toEqual(golden.chosen);
    expect([...random.choices([0.1, 0.2, 0.3, 0.4], 12)]).toEqual(golden.choices);
    for (let i = 0; i < 700; i++) random.random();
    expect(random.random()).toBe(golden.after_700);
  });

  it('without a seed differs from one instance to the next', () => {
    expect(new RandomState().random()).not.toBe(new RandomState().random());
  });

  it.each([-1, 2 ** 32, 0.5, NaN, '1' as unknown as number])('refuses the seed %s', (seed) => {
    expect(() => new RandomState(seed)).toThrow(/seed must be an integer from 0 to 2 \*\* 32 - 1/);
  });
});

describe('float64', () => {
  it('finds the float below', () => {
    expect(nextBelow(1)).toBe(1 - 2 ** -53);
    expect(nextBelow(-1)).toBe(-1 - 2 ** -52);
    expect(nextBelow(0)).toBe(-Number.MIN_VALUE);
    expect(nextBelow(Number.MIN_VALUE)).toBe(0);
  });

  it('rounds halves to even', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, 2.6, -2.6].map(roundHalfEven)).toEqual([0, 2, 2, 0, -2, 2, 3, -3]);
  });
});
