import type { CollatedBatch } from '@qlora-js/data';
import { expect, it } from 'vitest';
import { collator, tinyRows } from '../testing/tiny-classifier';
import { dealRows, shareWindow } from './shares';

/** Rows of the given lengths; every id of a row is the row's number. */
function batchOf(...lengths: number[]): CollatedBatch {
  return collator().collate(
    lengths.map((length, row) => ({ input_ids: new Array<number>(length).fill(row), label: row })),
  );
}

it('deals out as many real tokens to each, the first worker having what is left over', () => {
  expect(dealRows(batchOf(3, 3, 3, 3), 2)).toEqual([
    [0, 2],
    [1, 3],
  ]);
  // One long row weighs as much as the four others.
  expect(dealRows(batchOf(2, 8, 2, 2, 2), 2)).toEqual([[1], [0, 2, 3, 4]]);
  expect(dealRows(batchOf(4, 4, 4), 2)).toEqual([[0, 2], [1]]);
  expect(dealRows(batchOf(4, 4), 3)).toEqual([[0], [1], []]);
});

it('gives every row to one worker, with its tokens, its label and its weight in the window', () => {
  const window = [batchOf(3, 5, 1, 4), batchOf(2)];
  const shares = shareWindow(window, 2);
  expect(shares.map((parts) => parts.map(({ weight }) => weight))).toEqual([[0.4, 0.2], [0.4]]);
  expect(shares.flat().map(({ batch }) => [...batch.labels])).toEqual([[1, 2], [0], [0, 3]]);
  for (const { batch } of shares.flat()) {
    batch.labels.forEach((label, row) => expect(new Set(batch.rows[row]!.ids)).toEqual(new Set([label])));
  }
  expect(shares.flat().reduce((sum, { batch }) => sum + batch.realTokens, 0)).toBe(15);
  expect(shares[0]![0]!.batch.realTokens).toBe(6);
});

it("keeps every row's place in the window, by which it draws its masks", () => {
  const rows = tinyRows(12);
  const window = [0, 1, 2].map((i) => collator().collate([0, 1, 2, 3].map((j) => rows.row(4 * i + j))));
  const ids = window.flatMap((batch) => batch.rows.map((row) => [...row.ids]));
  const shared = shareWindow(window, 3)
    .flat()
    .flatMap(({ batch }) => batch.rows);
  expect(shared).toHaveLength(12);
  for (const { place, ids: own } of shared) expect([...own]).toEqual(ids[place!]);
  expect(new Set(shared.map(({ place }) => place)).size).toBe(12);
});
