import { expect, it } from 'vitest';
import { linear, ticks } from './scale';

it('ticks are round, inside the ends, and free of rounding', () => {
  expect(ticks(0, 1, 4)).toEqual([0, 0.5, 1]);
  expect(ticks(0, 3.1, 4)).toEqual([0, 1, 2, 3]);
  expect(ticks(0, 0.35, 4)).toEqual([0, 0.1, 0.2, 0.3]);
  expect(ticks(2, 2, 4)).toEqual([2]);
});

it('a scale turns a value upside down where its range is', () => {
  const y = linear([0, 10], [100, 20]);
  expect([y(0), y(5), y(10)]).toEqual([100, 60, 20]);
  expect(linear([3, 3], [7, 9])(3)).toBe(7);
});
