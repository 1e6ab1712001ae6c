import { expect, it } from 'vitest';
import { compareFigures } from './comparison';

it('shows both figures and the change in percent, and says what is not there', () => {
  const text = compareFigures(
    { accuracy: 0.93, f1: 0.93, tokensPerSec: 90_000, memoryGib: 7.2 },
    { accuracy: 0.8649, f1: undefined, tokensPerSec: 99_000, memoryGib: NaN },
  );
  const rows = text.split('\n').map((line) => line.split(/ {2,}/).map((cell) => cell.trim()));
  expect(rows).toEqual([
    ['', 'previous', 'this run', 'change'],
    ['test accuracy', '0.9300', '0.8649', '-7.00 %'],
    ['test F1', '0.9300', 'not available', 'not available'],
    ['tokens_per_sec_est', '90000', '99000', '+10.00 %'],
    ['peak memory (GiB)', '7.200', 'not available', 'not available'],
  ]);
  expect(text).not.toContain('NaN');
});

it('has no change against an earlier figure of zero', () => {
  const none = { accuracy: 0, f1: undefined, tokensPerSec: undefined, memoryGib: undefined };
  expect(compareFigures(none, { ...none, accuracy: 0.5 })).toMatch(/test accuracy +0\.0000 +0\.5000 +not available/);
});
