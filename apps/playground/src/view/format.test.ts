import { expect, it } from 'vitest';
import { bytes, duration, figure, percent, whole } from './format';

it('figures are short and keep what matters', () => {
  expect([percent(0.4125), percent(1, 0), whole(17_700_000)]).toEqual(['41.3 %', '100 %', '17,700,000']);
  expect([bytes(999), bytes(1_000), bytes(9_295_704), bytes(123_456_789)]).toEqual([
    '999 B',
    '1.0 kB',
    '9.3 MB',
    '123 MB',
  ]);
  expect([duration(40.4), duration(125), duration(3_780), duration(NaN)]).toEqual([
    '40 s',
    '2 min 5 s',
    '1 h 3 min',
    '–',
  ]);
  expect([figure(2.99573), figure(0.00042), figure(0)]).toEqual(['3', '4.2e-4', '0']);
});
