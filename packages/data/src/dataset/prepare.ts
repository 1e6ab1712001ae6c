import { DataError, shown } from '../errors';
import { Dataset } from './dataset';
import { type LabelMap, placed } from './label-map';

/** What preparing asks of a tokenizer; `GPT2Tokenizer` of @qlora-js/tokenize-gpt2 is one. */
export interface BatchTokenizer {
  batch(
    texts: string[],
    options: { truncation: boolean; maxLength?: number; padding: false; addSpecialTokens?: boolean },
  ): { inputIds: ArrayLike<number>[]; attentionMask: ArrayLike<number>[] };
}

/**
 * A text as a model reads it, with transformers' column names. The label is an id, or under several labels a 0 or 1 for
 * each id, or the number to be predicted.
 */
export type PreparedRow<Label extends number | number[] = number> = {
  /** Token ids. */
  input_ids: number[];
  /** 1 for a token, 0 for padding. */
  attention_mask: number[];
  /** What is to be predicted. */
  label: Label;
};

/** How texts are prepared. */
export interface PrepareOptions {
  /** Turns texts into ids. */
  tokenizer: BatchTokenizer;
  /** Names of the labels; left out for labels that are numbers to be predicted. */
  labelMap?: LabelMap;
  /** Tokens a text is cut to; default 128. */
  maxLength?: number;
  /** Keep the column `text` beside the tokens. Default false. */
  keepText?: boolean;
  /** What errors call the rows, a split's name usually. */
  source?: string;
}

/** Prepared rows and what preparing them has cost. */
export interface Prepared<Row extends object = PreparedRow> {
  /** The rows, in the order they came in. */
  dataset: Dataset<Row>;
  /** Numbers of the rows whose texts were longer than `maxLength` and lost their ends, from 0. */
  cutRows: number[];
  /** Tokens over all rows, after truncation. */
  tokens: number;
}

/** The label of a row before it is prepared: a name or an id, or the names of several. */
type UnpreparedLabel = string | number | readonly string[];

type UnpreparedRow<Label extends UnpreparedLabel> = { text: string; label: Label };

/** Several names become a list of 0 and 1, everything else a number. */
type PreparedLabel<Label extends UnpreparedLabel> = Label extends readonly string[] ? number[] : number;

/** Rows tokenized in one call: enough to amortise it, few enough to hold both copies of the tokens. */
const rowsPerCall = 1024;

/**
 * Columns `text` and `label` become `input_ids`, `attention_mask` and `label`: a name its id, names a 0 or 1 for each
 * id, a number an id or, without a label map, itself. The label is part of every row that comes out, whatever else is
 * dropped.
 *
 * @throws DataError naming the row: `EMPTY_TEXT`, `UNKNOWN_LABEL`, `UNKNOWN_COLUMN` (no text or no label column),
 *   `INVALID_ROW` (a text that is no string, a text without tokens)
 */
export function prepareDataset<Label extends UnpreparedLabel>(
  rows: Dataset<UnpreparedRow<Label>>,
  options: PrepareOptions & { keepText: true },
): Prepared<PreparedRow<PreparedLabel<Label>> & { text: string }>;
export function prepareDataset<Label extends UnpreparedLabel>(
  rows: Dataset<UnpreparedRow<Label>>,
  options: PrepareOptions,
): Prepared<PreparedRow<PreparedLabel<Label>>>;
export function prepareDataset(
  rows: Dataset<UnpreparedRow<UnpreparedLabel>>,
  options: PrepareOptions,
): Prepared<PreparedRow<number | number[]>> {
  const { tokenizer, labelMap, maxLength = 128, keepText = false, source } = options;
  if (!Number.isInteger(maxLength) || maxLength < 1) {
    throw new DataError(
      'INVALID_OPTION',
      `maxLength is a number of tokens of at least 1, got ${shown(maxLength)}`,
      maxLength,
    );
  }
  const texts = rows.column('text').map((text, row) => checkedText(text, row, source));
  const labels = rows.column('label').map((label, row) => preparedLabel(label, labelMap, { row, source }));
  const inputIds: number[][] = [];
  const attentionMask: number[][] = [];
  const cutRows: number[] = [];
  for (let from = 0; from < texts.length; from += rowsPerCall) {
    const some = texts.slice(from, from + rowsPerCall);
    const encoded = tokenizer.batch(some, { truncation: true, maxLength, padding: false });
    checkEncoded(encoded, some, { from, maxLength, source });
    for (const ids of encoded.inputIds) inputIds.push(Array.from(ids));
    for (const mask of encoded.attentionMask) attentionMask.push(Array.from(mask));
    // Only a text that fills maxLength can have been cut; tokenizing those again tells which were.
    const full = [...some.keys()].filter((index) => encoded.inputIds[index]!.length === maxLength);
    if (full.length === 0) continue;
    const whole = tokenizer.batch(
      full.map((index) => some[index]!),
      { truncation: false, padding: false },
    );
    full.forEach((index, place) => {
      if (whole.inputIds[place]!.length > maxLength) cutRows.push(from + index);
    });
  }
  const columns = { input_ids: inputIds, attention_mask: attentionMask, label: labels };
  return {
    dataset: keepText ? Dataset.fromColumns({ text: texts, ...columns }) : Dataset.fromColumns(columns),
    cutRows,
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

interface RowPlace {
  readonly row: number;
  readonly source: string | undefined;
}

function preparedLabel(label: unknown, labelMap: LabelMap | undefined, place: RowPlace): number | number[] {
  if (labelMap === undefined) {
    if (typeof label === 'number' && Number.isFinite(label)) return label;
    throw new DataError(
      'INVALID_ROW',
      `${placed(place)}without a label map a label is a finite number to be predicted, got ${shown(label)}`,
      label,
    );
  }
  if (typeof label === 'string') return labelMap.id(label, place);
  if (typeof label === 'number') {
    labelMap.name(label, place);
    return label;
  }
  if (Array.isArray(label)) {
    const chosen = new Array<number>(labelMap.size).fill(0);
    for (const name of label as string[]) chosen[labelMap.id(name, place)] = 1;
    return chosen;
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
