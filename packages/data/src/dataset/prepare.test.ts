import { describe, expect, it } from 'vitest';
import { DataCollatorWithPadding } from '../batch/collator';
import { Dataset } from './dataset';
import { LabelMap } from './label-map';
import { type BatchTokenizer, prepareDataset } from './prepare';

/** One token a character, its code; truncation as a real tokenizer does it. */
const characters: BatchTokenizer = {
  batch(texts, { truncation, maxLength }) {
    const inputIds = texts.map((text) =>
      [...text].map((letter) => letter.codePointAt(0)!).slice(0, truncation ? maxLength : undefined),
    );
    return { inputIds, attentionMask: inputIds.map((ids) => ids.map(() => 1)) };
  },
};
const labelMap = LabelMap.fromNames(['card_arrival', 'exchange_rate']);
const rows = Dataset.fromRows([
  { text: 'abc', label: 'exchange_rate', extra: 1 },
  { text: 'de', label: 'card_arrival', extra: 2 },
]);

describe('prepareDataset', () => {
  it('keeps the label column, as ids, whatever else goes', () => {
    const { dataset } = prepareDataset(rows, { tokenizer: characters, labelMap });
    expect(dataset.columnNames).toEqual(['input_ids', 'attention_mask', 'label']);
    expect(dataset.column('label')).toEqual([1, 0]);
    expect(dataset.row(1)).toEqual({ input_ids: [100, 101], attention_mask: [1, 1], label: 0 });
  });

  it('notices the label that a notebook lost by removing the columns it started with', () => {
    const { dataset } = prepareDataset(rows, { tokenizer: characters, labelMap });
    const collator = new DataCollatorWithPadding({ padTokenId: 0 });
    expect([...collator.collate(dataset.toRows()).labels]).toEqual([1, 0]);
    const lost = dataset.removeColumns('label').toRows();
    expect(() => collator.collate(lost)).toThrow(
      /row 0 of the batch: label must be a label's id, got undefined; keep the column/,
    );
  });

  it('keeps the text on request', () => {
    const { dataset } = prepareDataset(rows, { tokenizer: characters, labelMap, keepText: true });
    expect(dataset.row(0)).toEqual({ text: 'abc', input_ids: [97, 98, 99], attention_mask: [1, 1, 1], label: 1 });
  });

  it('takes labels that are ids already', () => {
    const numbered = Dataset.fromRows([{ text: 'a', label: 1 }]);
    expect(prepareDataset(numbered, { tokenizer: characters, labelMap }).dataset.row(0).label).toBe(1);
  });

  it('makes a 0 or 1 for each id of several labels', () => {
    const tagged = Dataset.fromRows([
      { text: 'a', label: ['exchange_rate'] },
      { text: 'b', label: [] },
    ]);
    const { dataset } = prepareDataset(tagged, { tokenizer: characters, labelMap });
    expect(dataset.column('label')).toEqual([
      [0, 1],
      [0, 0],
    ]);
  });

  it('keeps the numbers to be predicted where there is no label map, and refuses names', () => {
    const scored = Dataset.fromRows([{ text: 'a', label: 4.5 }]);
    expect(prepareDataset(scored, { tokenizer: characters }).dataset.column('label')).toEqual([4.5]);
    expect(() => prepareDataset(rows, { tokenizer: characters })).toThrow(
      /^row 0: without a label map a label is a finite number to be predicted, got "exchange_rate"/,
    );
  });

  it('tells the rows it cut, and not those that just fit', () => {
    const lengths = Dataset.fromRows(['abcd', 'abc', 'ab', 'abcde'].map((text) => ({ text, label: 0 })));
    const { dataset, cutRows, tokens } = prepareDataset(lengths, { tokenizer: characters, labelMap, maxLength: 3 });
    expect(cutRows).toEqual([0, 3]);
    expect(tokens).toBe(11);
    expect(dataset.column('input_ids').map((ids) => ids.length)).toEqual([3, 3, 2, 3]);
  });

  it('prepares more rows than one call to the tokenizer takes, in order', () => {
    const many = Dataset.fromRows(Array.from({ length: 2500 }, (_, i) => ({ text: String(i), label: i % 2 })));
    const { dataset, tokens } = prepareDataset(many, { tokenizer: characters, labelMap });
    expect(String.fromCodePoint(...dataset.row(2345).input_ids)).toBe('2345');
    expect(tokens).toBe(10 + 90 * 2 + 900 * 3 + 1500 * 4);
  });

  it.each([
    [{ text: ' \n', label: 0 }, /^train, row 1: the text is empty/],
    [{ text: 7, label: 0 }, /^train, row 1: text must be a string, got 7/],
    [{ text: 'a', label: 'card_arival' }, /^train, row 1: unknown label "card_arival"; did you mean "card_arrival"/],
    [{ text: 'a', label: 2 }, /^train, row 1: there is no label 2/],
    [{ text: 'a', label: null }, /^train, row 1: a label is a name or an id, got null/],
  ])('names the row of %j', (row, message) => {
    const dataset = Dataset.fromRows([{ text: 'fine', label: 0 }, row as { text: string; label: number }]);
    expect(() => prepareDataset(dataset, { tokenizer: characters, labelMap, source: 'train' })).toThrow(message);
  });

  it('says which column is missing', () => {
    const unlabelled = Dataset.fromRows([{ text: 'a' }]) as unknown as Dataset<{ text: string; label: string }>;
    expect(() => prepareDataset(unlabelled, { tokenizer: characters, labelMap })).toThrow(
      'there is no column "label"; columns: "text"',
    );
  });

  it.each([
    [{ inputIds: [[1]], attentionMask: [[1]] }, /gave 1 rows for 2 texts/],
    [{ inputIds: [[1], []], attentionMask: [[1], []] }, /row 1: the tokenizer gave no tokens for "de"/],
    [{ inputIds: [[1], [1, 2]], attentionMask: [[1], [1]] }, /row 1: the tokenizer gave 2 ids and a mask of 1/],
    [
      { inputIds: [[1], [1, 2, 3, 4]], attentionMask: [[1], [1, 1, 1, 1]] },
      /row 1: the tokenizer gave 4 tokens where maxLength is 3/,
    ],
  ])('refuses a tokenizer that answers %j', (answer, message) => {
    expect(() => prepareDataset(rows, { tokenizer: { batch: () => answer }, labelMap, maxLength: 3 })).toThrow(message);
  });

  it.each([0, 1.5, -3])('refuses a maxLength of %d', (maxLength) => {
    expect(() => prepareDataset(rows, { tokenizer: characters, labelMap, maxLength })).toThrow(
      /maxLength is a number of tokens/,
    );
  });
});
