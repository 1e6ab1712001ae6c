import { DataError, shown } from '../errors';
import { Dataset } from './dataset';
import { type LabelMap, placed } from './label-map';

/** What preparing asks of a tokenizer; `GPT2Tokenizer` of @qlora-js/tokenize-gpt2 is one. */
export interface BatchTokenizer {
  batch(
    texts: string[],
    options: { truncation: boolean; maxLength?: number; padding: false },
  ): { inputIds: ArrayLike<number>[]; attentionMask: ArrayLike<number>[] };
}

/** A text as a model reads it, with transformers' column names. */
export type PreparedRow = { input_ids: number[]; attention_mask: number[]; label: number };

export interface PrepareOptions {
  tokenizer: BatchTokenizer;
  labelMap: LabelMap;
  /** Tokens a text is cut to; default 128. */
  maxLength?: number;
  /** Keep the column `text` beside the tokens. Default false. */
  keepText?: boolean;
  /** What errors call the rows, a split's name usually. */
  source?: string;
}

export interface Prepared<Row extends object = PreparedRow> {
  dataset: Dataset<Row>;
  /** Texts that were longer than `maxLength` and lost their ends. */
  truncated: number;
  /** Tokens over all rows, after truncation. */
  tokens: number;
}

type UnpreparedRow = { text: string; label: string | number };

/** Rows tokenized in one call: enough to amortise it, few enough to hold both copies of the tokens. */
const rowsPerCall = 1024;

/**
 * Columns `text` and `label` (a name or an id) become `input_ids`, `attention_mask` and `label` (an id). The label is
 * part of every row that comes out, whatever else is dropped.
 *
 * @throws DataError naming the row: `EMPTY_TEXT`, `UNKNOWN_LABEL`, `UNKNOWN_COLUMN` (no text or no label column),
 *   `INVALID_ROW` (a text that is no string, a text without tokens)
 */
export function prepareDataset(
  rows: Dataset<UnpreparedRow>,
  options: PrepareOptions & { keepText: true },
): Prepared<PreparedRow & { text: string }>;
export function prepareDataset(rows: Dataset<UnpreparedRow>, options: PrepareOptions): Prepared;
export function prepareDataset(rows: Dataset<UnpreparedRow>, options: PrepareOptions): Prepared {
  const { tokenizer, labelMap, maxLength = 128, keepText = false, source } = options;
  if (!Number.isInteger(maxLength) || maxLength < 1) {
    throw new DataError(
      'INVALID_OPTION',
      `maxLength is a number of tokens of at least 1, got ${shown(maxLength)}`,
      maxLength,
    );
  }
  const texts = rows.column('text').map((text, row) => checkedText(text, row, source));
  const labels = rows.column('label').map((label, row) => labelId(label, labelMap, { row, source }));
  const inputIds: number[][] = [];
  const attentionMask: number[][] = [];
  let truncated = 0;
  for (let from = 0; from < texts.length; from += rowsPerCall) {
    const some = texts.slice(from, from + rowsPerCall);
    const encoded = tokenizer.batch(some, { truncation: true, maxLength, padding: false });
    checkEncoded(encoded, some, { from, maxLength, source });
    inputIds.push(...encoded.inputIds.map((ids) => Array.from(ids)));
    attentionMask.push(...encoded.attentionMask.map((mask) => Array.from(mask)));
    // Only a text that fills maxLength can have been cut; tokenizing those again tells which were.
    const full = some.filter((_, index) => encoded.inputIds[index]!.length === maxLength);
    if (full.length > 0) {
      truncated += tokenizer
        .batch(full, { truncation: false, padding: false })
        .inputIds.filter((ids) => ids.length > maxLength).length;
    }
  }
  const columns = { input_ids: inputIds, attention_mask: attentionMask, label: labels };
  return {
    dataset: keepText ? Dataset.fromColumns({ text: texts, ...columns }) : Dataset.fromColumns(columns),
    truncated,
    tokens: inputIds.reduce((sum, ids) => sum + ids.length, 0),
  };
}

function checkedText(text: unknown, row: number, source: string | undefined): string {
  if (typeof text !== 'string')
    throw new DataError('INVALID_ROW', `${placed({ row, source })}text must be a string, got ${shown(text)}`, text);
  if (text.trim() === '') {
    throw new DataError('EMPTY_TEXT', `${placed({ row, source })}the text is empty; remove the row or fill it`, text);
  }
  return text;
}

function labelId(label: unknown, labelMap: LabelMap, place: { row: number; source: string | undefined }): number {
  if (typeof label === 'string') return labelMap.id(label, place);
  if (typeof label === 'number') {
    labelMap.name(label, place);
    return label;
  }
  throw new DataError('UNKNOWN_LABEL', `${placed(place)}a label is a name or an id, got ${shown(label)}`, label);
}

function checkEncoded(
  { inputIds, attentionMask }: ReturnType<BatchTokenizer['batch']>,
  texts: readonly string[],
  { from, maxLength, source }: { from: number; maxLength: number; source: string | undefined },
): void {
  if (inputIds.length !== texts.length || attentionMask.length !== texts.length) {
    throw new DataError('INVALID_ROW', `the tokenizer gave ${inputIds.length} rows for ${texts.length} texts`);
  }
  texts.forEach((text, index) => {
    const place = placed({ row: from + index, source });
    const length = inputIds[index]!.length;
    if (length === 0)
      throw new DataError('INVALID_ROW', `${place}the tokenizer gave no tokens for ${shown(text)}`, text);
    if (length > maxLength)
      throw new DataError(
        'INVALID_ROW',
        `${place}the tokenizer gave ${length} tokens where maxLength is ${maxLength}`,
        length,
      );
    if (attentionMask[index]!.length !== length) {
      throw new DataError(
        'INVALID_ROW',
        `${place}the tokenizer gave ${length} ids and a mask of ${attentionMask[index]!.length}`,
      );
    }
  });
}
