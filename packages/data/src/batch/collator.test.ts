import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CollatedBatch, type CollatorOptions, DataCollatorWithPadding, lengthBucket } from './collator';
import { padBatch, type PaddedArrays } from './pad-batch';

const pad = 50256;
const rows = [
  { input_ids: [5, 6, 7], attention_mask: [1, 1, 1], label: 2 },
  { input_ids: [8], attention_mask: [1], label: 0 },
  { input_ids: [9, pad, 11, 12, 13], attention_mask: [1, 1, 1, 1, 1], label: 1 },
];

function collate(options: Partial<CollatorOptions> = {}, some: readonly object[] = rows): CollatedBatch & PaddedArrays {
  const batch = new DataCollatorWithPadding({ padTokenId: pad, ...options }).collate(some as typeof rows);
  return { ...batch, ...padBatch(batch, pad) };
}

// Expected ids and masks: transformers' DataCollatorWithPadding over GPT-2's tokenizer with pad = eos, same rows and options.
describe('DataCollatorWithPadding', () => {
  it('pads to the longest row, on the right', () => {
    const batch = collate();
    expect([...batch.inputIds]).toEqual([5, 6, 7, pad, pad, 8, pad, pad, pad, pad, 9, pad, 11, 12, 13]);
    expect([...batch.attentionMask]).toEqual([1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    expect([...batch.labels]).toEqual([2, 0, 1]);
    expect([batch.batchSize, batch.length, batch.realTokens]).toEqual([3, 5, 9]);
  });

  it('keeps rows as they are, and where they begin', () => {
    const { rows: right } = collate({ paddingSide: 'right' });
    expect(right[1]).toEqual({ ids: Int32Array.of(8), start: 0 });
    expect(collate({ paddingSide: 'left', padToMultipleOf: 8 }).rows.map(({ start }) => start)).toEqual([5, 7, 3]);
  });

  it('pads on the left', () => {
    const batch = collate({ paddingSide: 'left' });
    expect([...batch.inputIds]).toEqual([pad, pad, 5, 6, 7, pad, pad, pad, pad, 8, 9, pad, 11, 12, 13]);
    expect([...batch.attentionMask]).toEqual([0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  });

  it('pads to a multiple, and to a fixed length', () => {
    const multiple = collate({ padToMultipleOf: 8, paddingSide: 'left' });
    expect(multiple.length).toBe(8);
    expect([...multiple.inputIds.slice(16)]).toEqual([pad, pad, pad, 9, pad, 11, 12, 13]);
    const fixed = collate({ padding: 'max_length', maxLength: 6 });
    expect([...fixed.inputIds]).toEqual([5, 6, 7, pad, pad, pad, 8, pad, pad, pad, pad, pad, 9, pad, 11, 12, 13, pad]);
    expect(collate({ padding: 'max_length', maxLength: 6, padToMultipleOf: 4 }).length).toBe(8);
  });

  it('takes typed arrays, rows without masks and rows without labels', () => {
    const batch = collate({ labelKey: null }, [{ input_ids: Uint16Array.of(1, 2) }, { input_ids: [3] }]);
    expect([...batch.attentionMask]).toEqual([1, 1, 1, 0]);
    expect(batch.labels.length).toBe(0);
  });

  it('takes a 0 or 1 for each of several labels, and numbers to be predicted', () => {
    const several = [
      { input_ids: [1], label: [0, 1, 1] },
      { input_ids: [2], label: [1, 0, 0] },
    ];
    const batch = collate({ problemType: 'multi_label_classification' }, several);
    expect(batch.labels).toEqual(Float32Array.of(0, 1, 1, 1, 0, 0));
    const numbers = [
      { input_ids: [1], label: 4 },
      { input_ids: [2], label: -0.5 },
    ];
    expect(collate({ problemType: 'regression' }, numbers).labels).toEqual(Float32Array.of(4, -0.5));
  });

  it('keeps a mask of the row itself', () => {
    const batch = collate({}, [{ input_ids: [1, 2, 3], attention_mask: [0, 1, 1], label: 0 }]);
    expect([[...batch.attentionMask], batch.realTokens]).toEqual([[0, 1, 1], 2]);
  });

  it.each([
    [{ padding: false }, rows, /row 1 of the batch has 1 tokens, row 0 has 3/],
    [{ maxLength: 4 }, rows, /row 2 of the batch has 5 tokens, maxLength is 4; truncate/],
    [{}, [], /at least one row/],
    [{}, [{ input_ids: [], label: 0 }], /row 0 of the batch has no tokens/],
    [{}, [{ input_ids: [1.5], label: 0 }], /row 0 of the batch: 1.5 at 0 is no token id/],
    [{}, [{ input_ids: [2 ** 31], label: 0 }], /2147483648 at 0 is no token id/],
    [{}, [{ input_ids: [1, 2], attention_mask: [1], label: 0 }], /2 ids and a mask of 1/],
    [{}, [rows[0]!, { input_ids: [1] }], /row 1 of the batch: label must be a label's id, got undefined/],
    [{ labelKey: 'target' }, rows, /row 0 of the batch: target must be a label's id/],
    [{}, [{ input_ids: [1], label: -100 }], /got -100/],
    [{ problemType: 'multi_label_classification' }, rows, /label must be a list of 0 and 1, one for each label, got 2/],
    [{ problemType: 'multi_label_classification' }, [{ input_ids: [1], label: [0, 2] }], /one for each label, got 2/],
    [
      { problemType: 'multi_label_classification' },
      [
        { input_ids: [1], label: [0, 1] },
        { input_ids: [1], label: [0] },
      ],
      /row 1 of the batch: label must be 2 values long, got 1/,
    ],
    [{ problemType: 'regression' }, [{ input_ids: [1], label: NaN }], /label must be a finite number, got NaN/],
  ])('refuses %j with %j', (options, some, message) => {
    expect(() => collate(options as Partial<CollatorOptions>, some)).toThrow(message);
  });

  it.each([
    { padTokenId: -1 },
    { padTokenId: null as unknown as number },
    { padding: 'max_length' as const },
    { padToMultipleOf: 0 },
    { maxLength: 2.5 },
  ])('refuses the options %j', (options) => {
    expect(() => collate(options)).toThrow(/padTokenId is a token id|needs maxLength|is an integer of at least 1/);
  });

  it('loses no token and adds only padding, on either side', () => {
    const ids = fc.array(fc.nat(50_255), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.array(ids, { minLength: 1 }),
        fc.constantFrom('left' as const, 'right' as const),
        fc.integer({ min: 1, max: 9 }),
        (lists, paddingSide, multiple) => {
          const batch = collate(
            { paddingSide, padToMultipleOf: multiple },
            lists.map((input_ids) => ({ input_ids, label: 0 })),
          );
          expect(batch.length % multiple).toBe(0);
          expect(batch.length - Math.max(...lists.map((list) => list.length))).toBeLessThan(multiple);
          lists.forEach((list, row) => {
            const line = [...batch.inputIds.slice(row * batch.length, (row + 1) * batch.length)];
            const mask = [...batch.attentionMask.slice(row * batch.length, (row + 1) * batch.length)];
            expect(line.filter((_, place) => mask[place] === 1)).toEqual(list);
            expect(line.filter((_, place) => mask[place] === 0).every((id) => id === pad)).toBe(true);
          });
          expect(batch.realTokens).toBe(lists.flat().length);
        },
      ),
    );
  });
});

describe('lengthBucket', () => {
  it.each([
    [1, 8],
    [8, 8],
    [9, 16],
    [94, 96],
  ])('puts %d into %d', (length, bucket) => {
    expect(lengthBucket(length)).toBe(bucket);
  });
});
