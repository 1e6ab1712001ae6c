import { DataError, shown } from '../errors';
import type { Task } from '../load/labels';
import { batchLabels } from './labels';
import { isTokenId } from './token-id';

/** A text of a batch: its tokens, without padding. */
export interface BatchRow {
  /** Token ids. */
  readonly ids: Int32Array;
  /** 0 for ids that count for nothing; left out where all count. */
  readonly mask?: Int32Array;
  /** Its column in the padded batch: above 0 under left padding. */
  readonly start: number;
  /** Number among the rows of an optimiser step, which dropout goes by. Default its place in the batch. */
  readonly place?: number;
  /** Under a language model: what is to be predicted at each token, -100 where nothing is. */
  readonly labels?: Int32Array;
}

/** Texts that go through a model together. What lays them out for it leaves padding out: `padBatch` puts it in. */
export interface CollatedBatch {
  /** The texts. */
  readonly rows: readonly BatchRow[];
  /**
   * A row's label after the other, as many a row as its task has: ids [batchSize]; Float32Array of 0 and 1 [batchSize,
   * numLabels]; Float32Array of numbers [batchSize] or [batchSize, numLabels]. Empty under a language model, and when the
   * collator's labelKey is null.
   */
  readonly labels: Int32Array | Float32Array;
  /** Number of texts. */
  readonly batchSize: number;
  /** Columns of the padded batch. */
  readonly length: number;
  /** Tokens that count, over the whole batch. */
  readonly realTokens: number;
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

/** Makes batches that pad as those of transformers' class of that name: `padBatch` gives its arrays. */
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
    const length = this.batchLength(rows);
    let realTokens = 0;
    const texts = rows.map(({ input_ids, attention_mask }, row): BatchRow => {
      const ids = Int32Array.from(input_ids, (id, place) => {
        if (isTokenId(id)) return id;
        throw new DataError('INVALID_ROW', `row ${row} of the batch: ${shown(id)} at ${place} is no token id`, id);
      });
      const mask = attention_mask && Int32Array.from(attention_mask, (value) => (value === 1 ? 1 : 0));
      const counted = mask?.reduce((sum, value) => sum + value, 0) ?? ids.length;
      realTokens += counted;
      const start = this.options.paddingSide === 'left' ? length - ids.length : 0;
      return { ids, ...(counted === ids.length ? {} : { mask: mask! }), start };
    });
    return { rows: texts, labels: this.labels(rows), batchSize: rows.length, length, realTokens };
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
