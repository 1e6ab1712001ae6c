import { expect, it } from 'vitest';
import { Dataset } from './dataset';
import { prepareLanguageModelDataset, type LanguageModelText } from './prepare-language-model';

/** One token a character, its code; one that begins texts where there is one. */
const tokenizerOf = (bos?: number) => ({
  batch: (texts: string[], { addSpecialTokens }: { addSpecialTokens?: boolean } = {}) => {
    const begin = bos !== undefined && addSpecialTokens !== false ? [bos] : [];
    const inputIds = texts.map((text) => [...begin, ...[...text].map((letter) => letter.codePointAt(0)!)]);
    return { inputIds, attentionMask: inputIds.map((ids) => ids.map(() => 1)) };
  },
});
const tokenizer = tokenizerOf();
const prepare = (rows: readonly LanguageModelText[], maxLength?: number, eosTokenId: number | null = 0) =>
  prepareLanguageModelDataset(Dataset.fromRows<LanguageModelText>(rows), { tokenizer, maxLength, eosTokenId });

it('learns a text with its end', () => {
  const { dataset, tokens } = prepare([{ text: 'ab' }]);
  expect(dataset.row(0)).toEqual({ input_ids: [97, 98, 0], labels: [97, 98, 0] });
  expect(tokens).toBe(3);
  expect(prepare([{ text: 'ab' }], 8, null).dataset.row(0)).toEqual({ input_ids: [97, 98], labels: [97, 98] });
});

it('learns of a prompt and its completion the completion alone', () => {
  const { dataset } = prepare([{ prompt: 'ab', completion: 'c' }]);
  expect(dataset.row(0)).toEqual({ input_ids: [97, 98, 99, 0], labels: [-100, -100, 99, 0] });
});

it('begins texts and prompts with the token that begins texts, completions not', () => {
  const rows = Dataset.fromRows<LanguageModelText>([{ prompt: 'a', completion: 'b' }]);
  const { dataset } = prepareLanguageModelDataset(rows, { tokenizer: tokenizerOf(7), eosTokenId: 0 });
  expect(dataset.row(0)).toEqual({ input_ids: [7, 97, 98, 0], labels: [-100, -100, 98, 0] });
  const whole = Dataset.fromRows<LanguageModelText>([{ text: 'ab' }]);
  expect(
    prepareLanguageModelDataset(whole, { tokenizer: tokenizerOf(7), eosTokenId: 0 }).dataset.row(0).input_ids,
  ).toEqual([7, 97, 98, 0]);
});

it('tells the texts it cut and those that it left out', () => {
  const { dataset, cutRows, leftOutRows } = prepare(
    [
      { prompt: 'ab', completion: 'cd' },
      { prompt: 'abcd', completion: 'e' },
      { prompt: 'a', completion: 'b' },
    ],
    4,
  );
  expect([cutRows, leftOutRows]).toEqual([[0, 1], [1]]);
  expect(dataset.column('labels')).toEqual([
    [-100, -100, 99, 100],
    [-100, 98, 0],
  ]);
});

it('refuses what is no text, an empty one, and texts of which none is left', () => {
  expect(() => prepare([{ text: 7 as never }])).toThrow('row 0: text must be a string, got 7');
  expect(() => prepare([{ prompt: null as never, completion: 'a' }])).toThrow(
    'row 0: prompt must be a string, got null',
  );
  expect(() => prepare([{ prompt: 'a', completion: ' ' }])).toThrow(
    'row 0: there is nothing to be learnt in an empty text',
  );
  expect(() => prepare([{ text: 'a' }], 8, null)).toThrow('none of the 1 texts has a token to be predicted');
  expect(() => prepare([{ text: 'a' }], 1)).toThrow('maxLength is a number of tokens of at least 2, got 1');
});
