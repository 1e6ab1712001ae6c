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
 * Pads texts into a batch with a label for every token, -100 in padding, as transformers' class of that name does with
 * `mlm=False`; labels that a row has are kept. A packed row comes apart into its texts, which see nothing of each other.
 */
export class DataCollatorForLanguageModeling implements DataCollator<LanguageModelRow> {
  private readonly padded: DataCollatorWithPadding;
  private readonly paddingSide: 'right' | 'left';

  /** @throws DataError `INVALID_OPTION` */
  constructor(options: Omit<CollatorOptions, 'labelKey' | 'problemType'>) {
    this.padded = new DataCollatorWithPadding({ ...options, labelKey: null });
    this.paddingSide = options.paddingSide ?? 'right';
  }

  /** @throws DataError `INVALID_ROW` (as the other collator; labels that are none; nothing to predict in a text) */
  collate(rows: readonly LanguageModelRow[]): CollatedBatch {
    const texts = rows.flatMap(textsOf);
    const batch = this.padded.collate(texts);
    const { batchSize, length, attentionMask } = batch;
    const labels = new Int32Array(batchSize * length).fill(IGNORED_LABEL);
    texts.forEach(({ input_ids: ids, labels: own }, row) => {
      const start = row * length + (this.paddingSide === 'left' ? length - ids.length : 0);
      let predicted = 0;
      for (let place = 0; place < ids.length; place++) {
        const label = own?.[place] ?? ids[place]!;
        const counts = attentionMask[start + place] === 1 && label !== IGNORED_LABEL;
        if (counts) labels[start + place] = label;
        // The first token has nothing before it to be predicted from.
        if (counts && place > 0) predicted++;
      }
      if (predicted > 0) return;
      throw new DataError(
        'INVALID_ROW',
        `text ${row} of the batch has no token to be predicted: leave texts of one token, and those that are all prompt, out`,
      );
    });
    return { ...batch, labels };
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
