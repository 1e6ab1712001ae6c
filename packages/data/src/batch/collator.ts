import { DataError, shown } from '../errors';
import type { Task } from '../load/labels';
import { batchLabels } from './labels';
import { isTokenId } from './token-id';

/** Token ids and masks of a batch, row-major [batchSize, length], ready to be uploaded. */
export interface CollatedBatch {
  /** [batchSize, length] */
  inputIds: Int32Array;
  /** [batchSize, length]: 1 for a token, 0 for padding */
  attentionMask: Int32Array;
  /**
   * A row's label after the other, as many a row as its task has: ids [batchSize]; Float32Array of 0 and 1 [batchSize,
   * numLabels]; Float32Array of numbers [batchSize] or [batchSize, numLabels]; under a language model ids or -100 [batchSize,
   * length]. Empty when the collator's labelKey is null.
   */
  labels: Int32Array | Float32Array;
  batchSize: number;
  length: number;
  /** Tokens that are not padding, over the whole batch. */
  realTokens: number;
}

/** Makes batches of rows. */
export interface DataCollator<Row extends CollatableRow = CollatableRow> {
  collate(rows: readonly Row[]): CollatedBatch;
}

export interface CollatorOptions {
  /** The id that fills rows up; GPT-2 has none of its own and uses its end of text, 50256. */
  padTokenId: number;
  /** Default 'right'. */
  paddingSide?: 'right' | 'left';
  /** true or 'longest': to the longest row of the batch (default). 'max_length': to maxLength. false: rows must be equally long. */
  padding?: boolean | 'longest' | 'max_length';
  /** The length of every batch under 'max_length'; under the others, the length that no row may exceed. */
  maxLength?: number;
  /** Round the length up to a multiple of this, so that few lengths occur. */
  padToMultipleOf?: number;
  /** The column with the label; default 'label'. null for rows without labels. */
  labelKey?: string | null;
  /** What a label is: an id (default), a 0 or 1 for each id, or a number (or several) to be predicted. */
  problemType?: Task;
}

/** A row of a prepared data set; without attention_mask every token counts. */
export interface CollatableRow {
  input_ids: ArrayLike<number>;
  attention_mask?: ArrayLike<number>;
}

/** Pads rows into a batch, as transformers' class of that name does. */
export class DataCollatorWithPadding implements DataCollator {
  private readonly options: Required<Omit<CollatorOptions, 'maxLength'>> & { maxLength: number | undefined };

  /** @throws DataError `INVALID_OPTION` */
  constructor(options: CollatorOptions) {
    const {
      padTokenId,
      paddingSide = 'right',
      padding = true,
      maxLength,
      padToMultipleOf = 1,
      labelKey = 'label',
      problemType = 'single_label_classification',
    } = options;
    if (!isTokenId(padTokenId)) {
      throw new DataError(
        'INVALID_OPTION',
        `padTokenId is a token id, got ${shown(padTokenId)}; for GPT-2, set pad = eos (50256)`,
        padTokenId,
      );
    }
    for (const [name, count] of Object.entries({ maxLength, padToMultipleOf })) {
      if (count !== undefined && (!Number.isInteger(count) || count < 1)) {
        throw new DataError('INVALID_OPTION', `${name} is an integer of at least 1, got ${shown(count)}`, count);
      }
    }
    if (padding === 'max_length' && maxLength === undefined)
      throw new DataError('INVALID_OPTION', "padding 'max_length' needs maxLength");
    this.options = { padTokenId, paddingSide, padding, maxLength, padToMultipleOf, labelKey, problemType };
  }

  /** @throws DataError `INVALID_ROW` (no rows, no tokens, no label, a bad id), `ROW_TOO_LONG` */
  collate(rows: readonly CollatableRow[]): CollatedBatch {
    if (rows.length === 0) throw new DataError('INVALID_ROW', 'a batch needs at least one row');
    const { padTokenId, paddingSide } = this.options;
    const batchSize = rows.length;
    const length = this.batchLength(rows);
    const inputIds = new Int32Array(batchSize * length).fill(padTokenId);
    const attentionMask = new Int32Array(batchSize * length);
    let realTokens = 0;
    rows.forEach(({ input_ids: ids, attention_mask: mask }, row) => {
      const start = row * length + (paddingSide === 'left' ? length - ids.length : 0);
      for (let place = 0; place < ids.length; place++) {
        const id = ids[place]!;
        if (!isTokenId(id))
          throw new DataError('INVALID_ROW', `row ${row} of the batch: ${shown(id)} at ${place} is no token id`, id);
        const counts = mask === undefined || mask[place] === 1 ? 1 : 0;
        inputIds[start + place] = id;
        attentionMask[start + place] = counts;
        realTokens += counts;
      }
    });
    return { inputIds, attentionMask, labels: this.labels(rows), batchSize, length, realTokens };
  }

  private batchLength(rows: readonly CollatableRow[]): number {
    const { padding, maxLength, padToMultipleOf } = this.options;
    let longest = 0;
    rows.forEach(({ input_ids: ids, attention_mask: mask }, row) => {
      const count = ids.length;
      if (count === 0) throw new DataError('INVALID_ROW', `row ${row} of the batch has no tokens`);
      if (mask !== undefined && mask.length !== count) {
        throw new DataError('INVALID_ROW', `row ${row} of the batch has ${count} ids and a mask of ${mask.length}`);
      }
      if (maxLength !== undefined && count > maxLength) {
        throw new DataError(
          'ROW_TOO_LONG',
          `row ${row} of the batch has ${count} tokens, maxLength is ${maxLength}; truncate when tokenizing`,
          count,
        );
      }
      if (padding === false && row > 0 && count !== longest) {
        throw new DataError(
          'INVALID_ROW',
          `row ${row} of the batch has ${count} tokens, row 0 has ${longest}; turn padding on`,
          count,
        );
      }
      longest = Math.max(longest, count);
    });
    if (padding === false) return longest;
    return lengthBucket(padding === 'max_length' ? maxLength! : longest, padToMultipleOf);
  }

  private labels(rows: readonly CollatableRow[]): CollatedBatch['labels'] {
    const { labelKey, problemType } = this.options;
    if (labelKey === null) return new Int32Array(0);
    const given = rows.map((row) => (row as unknown as Record<string, unknown>)[labelKey]);
    return batchLabels(given, { labelKey, problemType });
  }
}

/** The smallest multiple that holds `length`: batches of a few lengths can share what is prepared for each. */
export function lengthBucket(length: number, multiple = 8): number {
  return Math.ceil(length / multiple) * multiple;
}
