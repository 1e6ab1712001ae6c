import { DataError, shown } from '../errors';
import { IGNORED_LABEL, type LanguageModelRow } from '../batch/language-model-collator';
import { Dataset } from './dataset';
import type { BatchTokenizer } from './prepare';

/** A text to be learnt as a whole, or a prompt and what is to be said to it. */
export type LanguageModelText = { text: string } | { prompt: string; completion: string };

/** How texts are prepared. */
export interface PrepareLanguageModelOptions {
  /** Turns texts into ids. */
  readonly tokenizer: BatchTokenizer;
  /** The token that ends a text and is learnt as its end; null for none. */
  readonly eosTokenId: number | null;
  /** Tokens a text is cut to, its end token included; default 1024, as trl's. */
  readonly maxLength?: number;
}

/** Texts as a language model learns them. */
export interface PreparedLanguageModel {
  /** Columns input_ids and labels, in the order of the texts that are not left out. */
  readonly dataset: Dataset<LanguageModelRow & { input_ids: number[]; labels: number[] }>;
  /** Numbers of the texts that lost their ends, from 0. */
  readonly cutRows: number[];
  /** Numbers of the texts that have nothing to be predicted: a single token, or a prompt that fills maxLength. */
  readonly leftOutRows: number[];
  /** Tokens over all rows. */
  readonly tokens: number;
}

/**
 * `text` becomes token ids that are all to be predicted; `prompt` and `completion` become one text of which the completion
 * alone is (trl, SFTTrainer with completion_only_loss). The two are tokenized apart, so that the model is trained on the very
 * ids that a prompt has when it is answered; trl tokenizes them together, which differs where a token reaches across.
 *
 * @throws DataError `INVALID_OPTION`; `INVALID_ROW` or `EMPTY_TEXT` naming the row; `INVALID_ROW` where every text is left out
 */
export function prepareLanguageModelDataset(
  texts: Dataset<LanguageModelText>,
  { tokenizer, eosTokenId, maxLength = 1024 }: PrepareLanguageModelOptions,
): PreparedLanguageModel {
  if (!Number.isInteger(maxLength) || maxLength < 2) {
    throw new DataError(
      'INVALID_OPTION',
      `maxLength is a number of tokens of at least 2, got ${shown(maxLength)}`,
      maxLength,
    );
  }
  const encode = (strings: string[], addSpecialTokens: boolean): number[][] =>
    tokenizer
      .batch(strings, { truncation: false, padding: false, addSpecialTokens })
      .inputIds.map((ids) => Array.from(ids));
  const parts = [...texts].map(partsOf);
  // A token that begins texts belongs before the prompt, not between it and its completion.
  const prompts = encode(
    parts.map(({ prompt }) => prompt),
    true,
  );
  const completions = encode(
    parts.map(({ completion }) => completion),
    false,
  );
  const rows: { input_ids: number[]; labels: number[] }[] = [];
  const [cutRows, leftOutRows]: [number[], number[]] = [[], []];
  parts.forEach((_, index) => {
    const prompt = prompts[index]!;
    const learnt = [...completions[index]!, ...(eosTokenId === null ? [] : [eosTokenId])];
    const ids = [...prompt, ...learnt];
    const labels = [...prompt.map(() => IGNORED_LABEL), ...learnt];
    if (ids.length > maxLength) cutRows.push(index);
    const row = { input_ids: ids.slice(0, maxLength), labels: labels.slice(0, maxLength) };
    if (row.labels.slice(1).every((label) => label === IGNORED_LABEL)) leftOutRows.push(index);
    else rows.push(row);
  });
  if (rows.length === 0) {
    throw new DataError(
      'INVALID_ROW',
      `none of the ${parts.length} texts has a token to be predicted; raise maxLength`,
      maxLength,
    );
  }
  return {
    dataset: Dataset.fromRows(rows),
    cutRows,
    leftOutRows,
    tokens: rows.reduce((sum, { input_ids: ids }) => sum + ids.length, 0),
  };
}

function partsOf(row: LanguageModelText, index: number): { readonly prompt: string; readonly completion: string } {
  const { prompt, completion } = 'text' in row ? { prompt: '', completion: row.text } : row;
  for (const [name, value] of Object.entries({ prompt, [`${'text' in row ? 'text' : 'completion'}`]: completion })) {
    if (typeof value !== 'string') {
      throw new DataError('INVALID_ROW', `row ${index}: ${name} must be a string, got ${shown(value)}`, value);
    }
  }
  if (completion.trim() === '') {
    throw new DataError(
      'EMPTY_TEXT',
      `row ${index}: there is nothing to be learnt in an empty text; remove the row`,
      completion,
    );
  }
  return { prompt, completion };
}
