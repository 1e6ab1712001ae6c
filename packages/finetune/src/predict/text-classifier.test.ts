import { expect, it } from 'vitest';
import { batchesByLength } from './text-classifier';

it('puts rows of like length together, each row once, and no more tokens than a batch takes', () => {
  const lengths = [3, 400, 5, 300, 1, 600];
  const batches = batchesByLength(lengths.map((length) => new Array<number>(length).fill(0)));
  expect(batches).toEqual([[4, 0, 2, 3], [1], [5]]);
  expect(batchesByLength([])).toEqual([]);
});
