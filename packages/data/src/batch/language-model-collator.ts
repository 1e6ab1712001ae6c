import { DataError, shown } from '../errors';
import {
  DataCollatorWithPadding,
  type CollatableRow,
  type CollatedBatch,
  type CollatorOptions,
  type DataCollator,
} from './collator';
import { isTokenId } from './token-id';

/** Label of a token that is not to be predicted; torch's ignore_index. */
export const IGNORED_LABEL = -100;

/** Texts as a language model learns them, with transformers' and trl's column names. */
export interface LanguageModelRow extends CollatableRow {
  /** What is to be predicted at each token: its own id, or -100 where nothing is, as in a prompt. Default: every token. */
  labels?: ArrayLike<number>;
  /** Lengths of the texts that lie in the row one after the other, as `packRows` makes them. Default: one text. */
  seq_lengths?: ArrayLike<number>;
}

/**
 * Makes batches with a label for every token, padded by `padBatch` as those of transformers' class of that name with
 * `mlm=False`; labels that a row has are kept. A packed row comes apart into its texts, which see nothing of each other.
 */
export class DataCollatorForLanguageModeling implements DataCollator<LanguageModelRow> {
  private readonly texts: DataCollatorWithPadding;

  /** @throws DataError `INVALID_OPTION` */
  constructor(options: Omit<CollatorOptions, 'labelKey' | 'problemType'>) {
    this.texts = new DataCollatorWithPadding({ ...options, labelKey: null });
  }

  /** @throws DataError `INVALID_ROW` (as the other collator; labels that are none; nothing to predict in a text) */
  collate(rows: readonly LanguageModelRow[]): CollatedBatch {
    const texts = rows.flatMap(textsOf);
    const batch = this.texts.collate(texts);
    const labelled = batch.rows.map((text, row) => {
      const own = texts[row]!.labels ?? text.ids;
      const labels = text.ids.map((_, place) => (text.mask?.[place] === 0 ? IGNORED_LABEL : own[place]!));
      // The first token has nothing before it to be predicted from.
      if (labels.subarray(1).some((label) => label !== IGNORED_LABEL)) return { ...text, labels };
      throw new DataError(
        'INVALID_ROW',
        `text ${row} of the batch has no token to be predicted: leave texts of one token, and those that are all prompt, out`,
      );
    });
    return { ...batch, rows: labelled };
  }
}

/** The texts of a row, each with its own ids, mask and labels. */
function textsOf(row: LanguageModelRow, index: number): LanguageModelRow[] {
  const { input_ids: ids, attention_mask: mask, labels, seq_lengths: lengths } = row;
  const wrong =
    labels === undefined ? undefined : Array.from(labels).find((label) => label !== IGNORED_LABEL && !isTokenId(label));
  if (wrong !== undefined || (labels !== undefined && labels.length !== ids.length)) {
    throw new DataError(
      'INVALID_ROW',
      `row ${index} of the batch: labels must be ${ids.length} token ids or -100, one a token, got ${wrong === undefined ? labels!.length : shown(wrong)}`,
      wrong ?? labels!.length,
    );
  }
  if (lengths === undefined) return [row];
  const ends = Array.from(lengths).reduce<number[]>((all, length) => [...all, (all.at(-1) ?? 0) + length], []);
  if (ends.at(-1) !== ids.length || !Array.from(lengths).every((length) => Number.isInteger(length) && length > 0)) {
    throw new DataError(
      'INVALID_ROW',
      `row ${index} of the batch has ${ids.length} tokens, which seq_lengths must add up to, got ${ends.at(-1) ?? 0}`,
      lengths,
    );
  }
  const part = (values: ArrayLike<number>, text: number): number[] =>
    Array.from({ length: lengths[text]! }, (_, place) => values[(ends[text - 1] ?? 0) + place]!);
  return ends.map((_, text) => ({
    input_ids: part(ids, text),
    ...(mask === undefined ? {} : { attention_mask: part(mask, text) }),
    ...(labels === undefined ? {} : { labels: part(labels, text) }),
  }));
}
