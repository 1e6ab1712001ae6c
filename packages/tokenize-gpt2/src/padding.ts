import { quote, TokenizerError } from './errors';
import { checkSide, type Side } from './settings';

/** true and 'longest' pad to the longest row of the batch. */
export type Padding = boolean | 'longest' | 'max_length' | 'do_not_pad';
/** true, 'longest_first' and 'only_first' are one and the same for single texts. */
export type Truncation = boolean | 'longest_first' | 'only_first' | 'do_not_truncate';

export interface LengthOptions {
  padding?: Padding;
  truncation?: Truncation;
  /** Tokens, special ones included. */
  maxLength?: number;
  padToMultipleOf?: number;
  /** The tokenizer's own side where not given. */
  paddingSide?: Side;
}

/** What the options come to. */
export interface LengthPlan {
  pad: 'no' | 'longest' | 'max_length';
  truncate: boolean;
  /** Set wherever rows are cut or padded to it. */
  maxLength: number | undefined;
  multiple: number;
}

/**
 * transformers' PreTrainedTokenizerBase._get_padding_truncation_strategies, with one difference: where a bound is asked
 * for and none is known, transformers leaves the rows as they are; this is an error here.
 *
 * @throws TokenizerError INVALID_OPTION, NO_PAD_TOKEN, MISSING_MAX_LENGTH
 */
export function planLengths(
  options: LengthOptions,
  tokenizer: { padToken: string | undefined; modelMaxLength: number },
): LengthPlan {
  const { padding = false, truncation, maxLength } = options;
  const multiple = checkCount(options.padToMultipleOf ?? 1, 'padToMultipleOf', 1);
  if (maxLength !== undefined) checkCount(maxLength, 'maxLength', 0);
  const pad = padStrategy(padding);
  // A maxLength alone means truncation to it, as ever in transformers.
  const truncate = truncation === undefined ? maxLength !== undefined && padding === false : truncates(truncation);
  const bound = maxLength ?? tokenizer.modelMaxLength;
  const needsBound = pad === 'max_length' ? "padding: 'max_length'" : truncate ? 'truncation' : undefined;
  if (needsBound !== undefined && bound === Infinity) {
    throw new TokenizerError(
      'MISSING_MAX_LENGTH',
      `${needsBound} needs a length and there is none: pass maxLength, or set tokenizer.modelMaxLength`,
    );
  }
  if (pad !== 'no' && tokenizer.padToken === undefined) {
    throw new TokenizerError(
      'NO_PAD_TOKEN',
      'Asked to pad, but the tokenizer has no padding token: set one, as in tokenizer.padToken = tokenizer.eosToken, ' +
        "or add a new one with tokenizer.addSpecialTokens({ padToken: '[PAD]' })",
    );
  }
  if (truncate && pad !== 'no' && bound % multiple !== 0) {
    throw new TokenizerError(
      'INVALID_OPTION',
      `maxLength ${bound} is not a multiple of padToMultipleOf ${multiple}: with truncation and padding it must be one`,
      { value: bound },
    );
  }
  return { pad, truncate, maxLength: needsBound === undefined ? undefined : bound, multiple };
}

function padStrategy(padding: Padding): LengthPlan['pad'] {
  switch (padding) {
    case true:
    case 'longest':
      return 'longest';
    case 'max_length':
      return 'max_length';
    case false:
    case 'do_not_pad':
      return 'no';
    default:
      throw new TokenizerError(
        'INVALID_OPTION',
        `padding is ${quote(padding)}: it must be true, false, 'longest', 'max_length' or 'do_not_pad'`,
        { value: padding },
      );
  }
}

function truncates(truncation: Truncation): boolean {
  switch (truncation) {
    case true:
    case 'longest_first':
    case 'only_first':
      return true;
    case false:
    case 'do_not_truncate':
      return false;
    default:
      throw new TokenizerError(
        'INVALID_OPTION',
        `truncation is ${quote(truncation)}: it must be true, false, 'longest_first', 'only_first' or 'do_not_truncate'`,
        { value: truncation },
      );
  }
}

function checkCount(value: number, name: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TokenizerError('INVALID_OPTION', `${name} is ${quote(value)}: it must be a whole number from ${least}`, {
    value,
  });
}

/** Length that rows are padded to, or undefined where they are left as they are. */
export function paddedLength(rows: readonly ArrayLike<number>[], plan: LengthPlan): number | undefined {
  if (plan.pad === 'no') return undefined;
  let length = plan.pad === 'max_length' ? plan.maxLength! : 0;
  if (plan.pad === 'longest') for (const row of rows) length = Math.max(length, row.length);
  return Math.ceil(length / plan.multiple) * plan.multiple;
}

/** A copy of the row with `value` on one side up to `length`; a row that is longer already stays as it is. */
export function padRow(row: ArrayLike<number>, length: number | undefined, value: number, side: Side): number[] {
  const missing = length === undefined ? 0 : Math.max(0, length - row.length);
  const padded = new Array<number>(row.length + missing).fill(value);
  const offset = side === 'left' ? missing : 0;
  for (let at = 0; at < row.length; at++) padded[offset + at] = row[at]!;
  return padded;
}

/** One tokenized text as a data set holds it; further fields (a label, say) are kept. */
export interface EncodedExample {
  inputIds: ArrayLike<number>;
  attentionMask?: ArrayLike<number>;
}

/** Tokenized texts, column by column. */
export interface EncodedColumns {
  inputIds: readonly ArrayLike<number>[];
  attentionMask?: readonly ArrayLike<number>[];
}

export interface PadOptions extends Omit<LengthOptions, 'truncation'> {
  /** Default true. */
  returnAttentionMask?: boolean;
}

/** Columns of a batch after padding: rows of ids and mask of one length each. */
export interface PaddedColumns {
  inputIds: number[][];
  attentionMask: number[][];
}

/** The examples' fields as columns, those of the first example; every other example must have them. */
export function columnsOf(examples: readonly EncodedExample[]): EncodedColumns & Record<string, unknown> {
  const columns: Record<string, unknown[]> = {};
  for (const key of Object.keys(examples[0] ?? {})) {
    columns[key] = examples.map((example, index) => {
      const value = (example as unknown as Record<string, unknown>)[key];
      if (value !== undefined) return value;
      throw new TokenizerError('INVALID_INPUT', `Example ${index} has no ${key}, which example 0 has`, { value: key });
    });
  }
  return { inputIds: [], ...columns };
}

/** Pads `inputIds` and `attentionMask` and keeps every other column (transformers' PreTrainedTokenizerBase.pad). */
export function padColumns(
  columns: EncodedColumns,
  options: PadOptions,
  tokenizer: {
    padToken: string | undefined;
    padTokenId: number | undefined;
    modelMaxLength: number;
    paddingSide: Side;
  },
): EncodedColumns {
  const rows = columns.inputIds;
  if (!Array.isArray(rows)) {
    throw new TokenizerError('INVALID_INPUT', `pad needs inputIds, a list of rows of ids, not ${quote(rows)}`, {
      value: rows,
    });
  }
  rows.forEach((row: unknown, index) => {
    if (typeof row === 'object' && row !== null && typeof (row as ArrayLike<number>).length === 'number') return;
    throw new TokenizerError('INVALID_INPUT', `inputIds[${index}] is ${quote(row)}, not a row of ids`, { value: row });
  });
  const side = checkSide(options.paddingSide ?? tokenizer.paddingSide, 'paddingSide', 'INVALID_OPTION');
  // Only padding is asked for here: a maxLength that isn't padded to does nothing, and doesn't truncate.
  const plan = planLengths({ ...options, padding: options.padding ?? true, truncation: false }, tokenizer);
  const length = paddedLength(columns.inputIds, plan);
  const fill = tokenizer.padTokenId ?? 0;
  const padded = { ...columns, inputIds: columns.inputIds.map((row) => padRow(row, length, fill, side)) };
  if (options.returnAttentionMask === false) return padded;
  const masks = columns.attentionMask;
  if (masks !== undefined && masks.length !== columns.inputIds.length) {
    throw new TokenizerError(
      'INVALID_INPUT',
      `attentionMask has ${masks.length} rows and inputIds ${columns.inputIds.length}: each text needs one of each`,
      { value: masks.length },
    );
  }
  return {
    ...padded,
    attentionMask: columns.inputIds.map((row, index) => {
      const mask = masks?.[index];
      if (mask === undefined) return padRow(new Array<number>(row.length).fill(1), length, 0, side);
      if (mask.length === row.length) return padRow(mask, length, 0, side);
      throw new TokenizerError(
        'INVALID_INPUT',
        `attentionMask[${index}] has ${mask.length} entries and inputIds[${index}] ${row.length}: they must be as many`,
        { value: mask.length },
      );
    }),
  };
}
