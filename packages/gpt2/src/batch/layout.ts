import { Gpt2Error } from '../errors';

/** A text of a batch. */
export interface TextRow {
  /** Token ids, padding among them only where the mask says so. */
  readonly ids: ArrayLike<number>;
  /** 0 where a token is padding or counts for nothing; left out where all count. */
  readonly mask?: ArrayLike<number>;
  /** Column of the first id: under left padding what stands before it, which GPT-2 embeds columns by. Default 0. */
  readonly start?: number;
  /** Number among the rows of an optimiser step, which dropout goes by. Default its place in the batch. */
  readonly place?: number;
}

/** How texts are laid out. */
export interface LayoutOptions {
  /** Token that pooling takes for padding, as config.pad_token_id; null where there is none. */
  readonly padTokenId: number | null;
  /** Longest sequence the model has positions for. */
  readonly nPositions: number;
  /** Size of the vocabulary, to check ids against. */
  readonly vocabSize: number;
  /**
   * Leave padding out (default). A masked key never reaches another token and pooling reads a real one, so logits,
   * loss and gradients are the same at a fraction of the rows. false keeps every row, for hidden states.
   */
  readonly packed?: boolean;
  /**
   * Rows are filled up to a multiple of this with rows of no sequence, which change no result: batches of nearly equal
   * size then have equal shapes, and share a recorded plan. Default 1.
   */
  readonly rowMultiple?: number;
}

/** A batch while it is laid out; flat, in the order of `TokenBatch`. */
export interface BatchLayout {
  readonly ids: number[];
  readonly positions: number[];
  /** Four numbers a sequence. */
  readonly sequences: number[];
  readonly pooledRows: number[];
  /**
   * A number for each row that it keeps in every batch: its text's place times the model's positions, plus its place in the
   * text; 32 bits of it. For `randomState`.
   */
  readonly numbers: number[];
}

/**
 * Lays texts of any lengths end to end: the one place where tokens become a model's rows. Pooling follows transformers'
 * GPT2ForSequenceClassification (models/gpt2/modeling_gpt2.py): the rightmost id that differs from pad_token_id,
 * whatever the mask says; the first column where every id is padding.
 *
 * @throws Gpt2Error BAD_BATCH naming the row and column
 */
export function layoutRows(texts: readonly TextRow[], options: LayoutOptions): BatchLayout {
  if (texts.length === 0) throw new Gpt2Error('BAD_BATCH', 'a batch needs at least one text');
  const layout: BatchLayout = { ids: [], positions: [], sequences: [], pooledRows: [], numbers: [] };
  texts.forEach((text, row) => addText(layout, text, row, options));
  const { rowMultiple = 1 } = options;
  while (layout.ids.length % rowMultiple !== 0) {
    layout.ids.push(0);
    layout.positions.push(0);
    layout.numbers.push(0);
  }
  return layout;
}

function addText(layout: BatchLayout, text: TextRow, row: number, options: LayoutOptions): void {
  const { ids, mask, start = 0, place: textPlace = row } = text;
  const { padTokenId, vocabSize, nPositions, packed = true } = options;
  const { length } = ids;
  if (start + length > nPositions) {
    throw new Gpt2Error(
      'BAD_BATCH',
      `row ${row} has ${start + length} tokens, but the model has ${nPositions} positions: lower max_length`,
    );
  }
  const isReal = (place: number): boolean => mask === undefined || mask[place] !== 0;
  let [firstReal, endReal, pooled] = [-1, -1, 0];
  for (let place = 0; place < length; place++) {
    const id = ids[place]!;
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw new Gpt2Error(
        'BAD_BATCH',
        `token id ${id} in row ${row}, column ${start + place} is outside the vocabulary of ${vocabSize}: the tokenizer is another model's`,
      );
    }
    if (padTokenId === null || id !== padTokenId) pooled = place;
    if (!isReal(place)) continue;
    if (firstReal < 0) firstReal = place;
    endReal = place + 1;
  }
  if (firstReal < 0) {
    // transformers has no one answer: what such a row attends to depends on its attention kernel and on the padding's width.
    throw new Gpt2Error(
      'BAD_BATCH',
      `row ${row} has no tokens${length === 0 ? '' : ', its attention mask is 0 throughout'}: leave the text out, or give it one token (GPT-2's eos) that the mask counts`,
    );
  }
  if (packed && !isReal(pooled) && ids[pooled] !== padTokenId) {
    throw new Gpt2Error(
      'BAD_BATCH',
      `row ${row}: the token in column ${start + pooled} is masked but is not padding, so it cannot be pooled`,
    );
  }
  const rowStart = layout.ids.length;
  let pooledRow = rowStart;
  for (let place = 0; place < length; place++) {
    if (!isReal(place)) {
      if (packed) continue;
      if (place > firstReal && place < endReal) {
        throw new Gpt2Error(
          'BAD_BATCH',
          `row ${row}: the attention mask has a hole in column ${start + place}; use packed: true for such masks`,
        );
      }
    }
    if (place === pooled) pooledRow = layout.ids.length;
    layout.ids.push(ids[place]!);
    layout.positions.push(start + place);
    layout.numbers.push((Math.imul(textPlace, nPositions) + layout.ids.length - 1 - rowStart) | 0);
  }
  const rowCount = layout.ids.length - rowStart;
  layout.sequences.push(rowStart, rowCount, packed ? 0 : firstReal, packed ? rowCount : endReal);
  layout.pooledRows.push(pooledRow);
}
