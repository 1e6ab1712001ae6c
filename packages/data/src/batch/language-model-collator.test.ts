import { describe, expect, it } from 'vitest';
import { Dataset } from '../dataset/dataset';
import { packRows } from '../dataset/pack-rows';
import type { CollatedBatch } from './collator';
import { DataCollatorForLanguageModeling, type LanguageModelRow } from './language-model-collator';
import { padBatch, type PaddedArrays } from './pad-batch';

function collate(
  rows: readonly LanguageModelRow[],
  options: { paddingSide?: 'left' } = {},
): CollatedBatch & PaddedArrays {
  const batch = new DataCollatorForLanguageModeling({ padTokenId: 0, ...options }).collate(rows);
  return { ...batch, ...padBatch(batch, 0) };
}

// Expected labels: transformers' DataCollatorForLanguageModeling(mlm=False) and DataCollatorForSeq2Seq on the same rows.
describe('DataCollatorForLanguageModeling', () => {
  it('labels every token with itself and padding with -100, on either side', () => {
    const rows = [{ input_ids: [5, 6, 7] }, { input_ids: [8, 9], labels: [-100, 9] }];
    const batch = collate(rows);
    expect([...batch.labels]).toEqual([5, 6, 7, -100, 9, -100]);
    expect([batch.batchSize, batch.length, batch.realTokens]).toEqual([2, 3, 5]);
    const left = collate(rows, { paddingSide: 'left' });
    expect([...left.labels]).toEqual([5, 6, 7, -100, -100, 9]);
  });

  it('labels no token that the mask leaves out, whatever its id', () => {
    const { labels } = collate([{ input_ids: [0, 5, 0, 6], attention_mask: [0, 1, 1, 1] }]);
    expect([...labels]).toEqual([-100, 5, 0, 6]);
  });

  it('takes a packed row apart into its texts', () => {
    const batch = collate([
      { input_ids: [1, 2, 3, 4, 5], labels: [-100, 2, 3, 4, 5], seq_lengths: [2, 3] },
      { input_ids: [6, 7], seq_lengths: [2] },
    ]);
    expect([...batch.inputIds]).toEqual([1, 2, 0, 3, 4, 5, 6, 7, 0]);
    expect([...batch.labels]).toEqual([-100, 2, -100, 3, 4, 5, 6, 7, -100]);
    expect(batch.batchSize).toBe(3);
  });

  it.each([
    [{ input_ids: [1] }, /text 0 of the batch has no token to be predicted/],
    [{ input_ids: [1, 2], labels: [1, -100] }, /text 0 of the batch has no token to be predicted/],
    [{ input_ids: [1, 2], labels: [1] }, /row 0 of the batch: labels must be 2 token ids or -100, one a token, got 1/],
    [{ input_ids: [1, 2], labels: [1, -1] }, /one a token, got -1/],
    [{ input_ids: [1, 2, 3], seq_lengths: [2] }, /has 3 tokens, which seq_lengths must add up to, got 2/],
    [{ input_ids: [1, 2], seq_lengths: [3, -1] }, /which seq_lengths must add up to/],
  ])('refuses %j', (row, message) => {
    expect(() => collate([row as LanguageModelRow])).toThrow(message);
  });
});

describe('packRows', () => {
  const texts = Dataset.fromRows([
    { input_ids: [1, 2], labels: [-100, 2] },
    { input_ids: [3, 4, 5, 6], labels: [3, 4, 5, 6] },
    { input_ids: [7, 8, 9], labels: [7, 8, 9] },
    { input_ids: [10, 11, 12], labels: [10, 11, 12] },
  ]);

  it('puts whole texts together, the longest first, each where it fits best', () => {
    const packed = packRows(texts, { maxLength: 6 }).toRows();
    expect(packed.map((row) => row.input_ids)).toEqual([
      [3, 4, 5, 6, 1, 2],
      [7, 8, 9, 10, 11, 12],
    ]);
    expect(packed[0]!.labels).toEqual([3, 4, 5, 6, -100, 2]);
    expect(packed.map((row) => row.seq_lengths)).toEqual([
      [4, 2],
      [3, 3],
    ]);
  });

  it('wraps texts across rows, and leaves out the rest and what is all prompt', () => {
    const packed = packRows(texts, { maxLength: 5, strategy: 'wrapped' }).toRows();
    expect(packed.map((row) => row.input_ids)).toEqual([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
    ]);
    const prompts = Dataset.fromRows([{ input_ids: [1, 2, 3, 4], labels: [-100, -100, 3, 4] }]);
    expect(packRows(prompts, { maxLength: 2, strategy: 'wrapped' }).toRows()).toEqual([
      { input_ids: [3, 4], labels: [3, 4], seq_lengths: [2] },
    ]);
  });

  it('refuses a text that fits no row, options that are none, and too few tokens', () => {
    expect(() => packRows(texts, { maxLength: 3 })).toThrow('text 1 has 4 tokens, maxLength is 3');
    expect(() => packRows(texts, { maxLength: 1 })).toThrow('maxLength is an integer of at least 2');
    expect(() => packRows(texts, { maxLength: 8, strategy: 'ffd' as 'bfd' })).toThrow(`strategy is 'bfd' or 'wrapped'`);
    expect(() => packRows(texts, { maxLength: 20, strategy: 'wrapped' })).toThrow('12 tokens fill no row of 20');
  });
});
