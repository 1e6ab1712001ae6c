import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDevice, type Device } from '@qlora-js/kernels';
import { padTexts } from '../../test/golden-variants';
import { IGNORED_LABEL, nextTokenLabels } from './next-token-labels';
import type { LayoutOptions } from './layout';
import type { PaddedBatch } from './padded-batch';
import { packSequences, tokenBatch } from './token-batch';

const PAD = 9;
const SIZES = { nPositions: 6, vocabSize: 10 };
const OPTIONS = { ...SIZES, padTokenId: PAD };

let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'cpu' });
});
afterAll(() => {
  device.dispose();
});

function values(batch: ReturnType<typeof tokenBatch>) {
  const { ids, positions, sequences, pooledRows } = batch;
  const result = {
    ids: [...ids.dataSync()],
    positions: [...positions.dataSync()],
    sequences: sequences.arraySync(),
    pooledRows: [...pooledRows.dataSync()],
  };
  batch.dispose();
  return result;
}

describe('tokenBatch', () => {
  const texts = [[1, 2, 3], [4], [5, 6]];

  it('leaves padding on the right out', () => {
    expect(values(tokenBatch(padTexts(texts, 'right', PAD), OPTIONS))).toEqual({
      ids: [1, 2, 3, 4, 5, 6],
      positions: [0, 1, 2, 0, 0, 1],
      sequences: [
        [0, 3, 0, 3],
        [3, 1, 0, 1],
        [4, 2, 0, 2],
      ],
      pooledRows: [2, 3, 5],
    });
  });

  it('fills rows up with rows of no sequence', () => {
    const filled = values(tokenBatch(padTexts(texts, 'right', PAD), { ...OPTIONS, rowMultiple: 4 }));
    expect(filled.ids).toEqual([1, 2, 3, 4, 5, 6, 0, 0]);
    expect(filled.positions).toEqual([0, 1, 2, 0, 0, 1, 0, 0]);
    expect(filled.sequences.at(-1)).toEqual([4, 2, 0, 2]);
    expect(filled.pooledRows).toEqual([2, 3, 5]);
  });

  it('leaves padding on the left out, and counts positions from the first column', () => {
    const { positions, pooledRows } = values(tokenBatch(padTexts(texts, 'left', PAD), OPTIONS));
    expect(positions).toEqual([0, 1, 2, 2, 1, 2]);
    expect(pooledRows).toEqual([2, 3, 5]);
  });

  it('lays rows out as the padded batch they make, columns counted from where they begin', () => {
    const right = texts.map((ids) => ({ ids }));
    expect(values(tokenBatch(right, OPTIONS))).toEqual(values(tokenBatch(padTexts(texts, 'right', PAD), OPTIONS)));
    const left = texts.map((ids) => ({ ids, start: 3 - ids.length }));
    expect(values(tokenBatch(left, OPTIONS))).toEqual(values(tokenBatch(padTexts(texts, 'left', PAD), OPTIONS)));
    expect(() => tokenBatch([{ ids: [1, 2], start: 5 }], OPTIONS)).toThrow(/row 0 has 7 tokens/);
  });

  it('keeps padding where that is asked for, out of reach as keys', () => {
    const left = values(tokenBatch(padTexts(texts, 'left', PAD), { ...OPTIONS, packed: false }));
    expect(left.ids).toEqual([1, 2, 3, 9, 9, 4, 9, 5, 6]);
    expect(left.sequences).toEqual([
      [0, 3, 0, 3],
      [3, 3, 2, 3],
      [6, 3, 1, 3],
    ]);
    const right = values(tokenBatch(padTexts(texts, 'right', PAD), { ...OPTIONS, packed: false }));
    expect(right.sequences[1]).toEqual([3, 3, 0, 1]);
    expect(right.pooledRows).toEqual([2, 3, 7]);
  });

  it("pools before a text's own trailing padding tokens, and the first of a text that has no others", () => {
    const batch: PaddedBatch = {
      inputIds: [1, 2, PAD, PAD, PAD, PAD],
      attentionMask: [1, 1, 1, 1, 1, 0],
      batchSize: 2,
      length: 3,
    };
    expect(values(tokenBatch(batch, OPTIONS)).pooledRows).toEqual([1, 3]);
  });

  it.each([true, false])('refuses a text that is masked altogether and names its row; packed: %s', (packed) => {
    const batch = { inputIds: [1, 2, PAD, PAD], attentionMask: [1, 1, 0, 0], batchSize: 2, length: 2 };
    expect(() => tokenBatch(batch, { ...OPTIONS, packed })).toThrow(/row 1 has no tokens.*eos/);
  });

  it('pools the last token of a single text without a padding token', () => {
    const batch = { inputIds: [1, PAD], attentionMask: [1, 1], batchSize: 1, length: 2 };
    expect(values(tokenBatch(batch, { ...OPTIONS, padTokenId: null })).pooledRows).toEqual([1]);
  });

  const good: PaddedBatch = { inputIds: [1, 2, 3, 4], attentionMask: [1, 1, 1, 1], batchSize: 2, length: 2 };
  it.each<[string, Partial<PaddedBatch>, Partial<LayoutOptions>, RegExp]>([
    [
      'an id beyond the vocabulary',
      { inputIds: [1, 2, 10, 4] },
      {},
      /token id 10 in row 1, column 0.*vocabulary of 10/,
    ],
    ['a negative id', { inputIds: [1, -100, 3, 4] }, {}, /token id -100 in row 0, column 1/],
    ['NaN for an id', { inputIds: [1, NaN, 3, 4] }, {}, /token id NaN/],
    ['a fraction for an id', { inputIds: [1, 1.5, 3, 4] }, {}, /token id 1.5/],
    ['texts longer than the positions', {}, { nPositions: 1 }, /sequences of 2 tokens.*1 positions/],
    ['ids that are missing', { inputIds: [1, 2, 3] }, {}, /needs 4 ids and mask values, but has 3 and 4/],
    ['a mask that is missing', { attentionMask: [1] }, {}, /has 4 and 1/],
    ['several texts without a padding token', {}, { padTokenId: null }, /needs a padding token/],
    [
      'a masked token that would be pooled',
      { attentionMask: [1, 0, 1, 1] },
      {},
      /row 0: the token in column 1 is masked/,
    ],
    [
      'holes in a mask that is kept',
      { inputIds: [1, 2, 3], attentionMask: [1, 0, 1], batchSize: 1, length: 3 },
      { packed: false },
      /hole in column 1/,
    ],
  ])('refuses %s', (_, batch, options, message) => {
    expect(() => tokenBatch({ ...good, ...batch }, { ...OPTIONS, ...options })).toThrow(message);
  });
});

describe('nextTokenLabels', () => {
  it('asks each row for the token to its right, and nothing of the last one', () => {
    const batch = padTexts([[1, 2, 3], [4]], 'right', PAD);
    const labels = (options?: Parameters<typeof nextTokenLabels>[1]) => [...nextTokenLabels(batch, options).dataSync()];
    expect(labels()).toEqual([2, 3, IGNORED_LABEL, IGNORED_LABEL]);
    expect(labels({ packed: false })).toEqual([2, 3, IGNORED_LABEL, IGNORED_LABEL, IGNORED_LABEL, IGNORED_LABEL]);
    expect(labels({ labels: [-100, -100, 3, -100, -100, -100] })).toEqual([-100, 3, -100, -100]);
  });

  it('has one label a row of the batch, whatever is masked', () => {
    const mask = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(mask, fc.boolean(), (attentionMask, packed) => {
        const batch = { inputIds: attentionMask.map((bit) => (bit ? 1 : PAD)), attentionMask, batchSize: 3, length: 4 };
        // Only packed batches take masks with holes, and none a text without tokens.
        fc.pre(rows(attentionMask).every((row) => (packed ? /1/ : /^0*1+0*$/).test(row)));
        const tokens = tokenBatch(batch, { ...OPTIONS, packed });
        const labels = nextTokenLabels(batch, { packed });
        expect(labels.size).toBe(tokens.rows);
        tokens.dispose();
        labels.dispose();
      }),
    );
  });

  it('refuses labels of another size', () => {
    expect(() => nextTokenLabels(padTexts([[1, 2]], 'right', PAD), { labels: [1] })).toThrow(
      /needs 2 labels, but has 1/,
    );
  });
});

const rows = (mask: number[]) => [0, 4, 8].map((start) => mask.slice(start, start + 4).join(''));

describe('packSequences', () => {
  it('lays texts end to end, each from position 0 on', () => {
    expect(values(packSequences([[1, 2, 3], Int32Array.of(4)], SIZES))).toEqual({
      ids: [1, 2, 3, 4],
      positions: [0, 1, 2, 0],
      sequences: [
        [0, 3, 0, 3],
        [3, 1, 0, 1],
      ],
      pooledRows: [2, 3],
    });
  });

  it.each<[string, number[][], RegExp]>([
    ['no texts', [], /at least one text/],
    ['an empty text', [[1], []], /row 1 has no tokens/],
    ['a text beyond the positions', [[1, 2, 3, 4, 5, 6, 7]], /row 0 has 7 tokens.*6 positions/],
    ['an id beyond the vocabulary', [[1], [2, 10]], /token id 10 in row 1, column 1/],
  ])('refuses %s', (_, texts, message) => {
    expect(() => packSequences(texts, SIZES)).toThrow(message);
  });
});
