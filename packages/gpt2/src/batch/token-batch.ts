import { tensor1d, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { Gpt2Error } from '../errors';

/** What a padding collator makes: flat row-major [batchSize, length] arrays. */
export interface PaddedBatch {
  readonly inputIds: ArrayLike<number>;
  readonly attentionMask: ArrayLike<number>;
  readonly batchSize: number;
  readonly length: number;
}

export interface TokenBatchOptions {
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

/** Sequences one after another in rows, and where they are. */
export interface TokenBatch {
  /** int32 [rows] */
  readonly ids: Tensor1D;
  /** int32 [rows]: the column in the padded batch, which is what GPT-2 embeds by default, also under left padding */
  readonly positions: Tensor1D;
  /** int32 [batchSize, 4]: rowStart, rowCount, keyStart, keyEnd */
  readonly sequences: Tensor2D;
  /** int32 [batchSize]: the row of each sequence's last token that is not padding */
  readonly pooledRows: Tensor1D;
  readonly rows: number;
  readonly batchSize: number;
  dispose(): void;
}

/** A batch while it is laid out; flat, in the order of `TokenBatch`. */
export interface BatchLayout {
  readonly ids: number[];
  readonly positions: number[];
  /** Four numbers a sequence. */
  readonly sequences: number[];
  readonly pooledRows: number[];
}

export function layoutToBatch({ ids, positions, sequences, pooledRows }: BatchLayout): TokenBatch {
  return tokenBatchOf({
    ids: tensor1d(ids, 'int32'),
    positions: tensor1d(positions, 'int32'),
    sequences: tensor2d(sequences, [pooledRows.length, 4], 'int32'),
    pooledRows: tensor1d(pooledRows, 'int32'),
  });
}

/** The tensors of a batch, in the shapes of `TokenBatch`; they are the batch's to dispose of. */
export function tokenBatchOf(tensors: Pick<TokenBatch, 'ids' | 'positions' | 'sequences' | 'pooledRows'>): TokenBatch {
  const { ids, positions, sequences, pooledRows } = tensors;
  return {
    ids,
    positions,
    sequences,
    pooledRows,
    rows: ids.size,
    batchSize: pooledRows.size,
    dispose: () => [ids, positions, sequences, pooledRows].forEach((tensor) => tensor.dispose()),
  };
}

/** @throws Gpt2Error BAD_BATCH */
export function checkTokenId(id: number, vocabSize: number, place: string): void {
  if (Number.isInteger(id) && id >= 0 && id < vocabSize) return;
  throw new Gpt2Error(
    'BAD_BATCH',
    `token id ${id} in ${place} is outside the vocabulary of ${vocabSize}: the tokenizer is another model's`,
  );
}

/**
 * Lays a padded batch out for the model. Pooling follows transformers' GPT2ForSequenceClassification
 * (models/gpt2/modeling_gpt2.py): the rightmost id that differs from pad_token_id, whatever the mask says; the first
 * column where every id is padding.
 *
 * @throws Gpt2Error BAD_BATCH naming the row and column
 */
export function tokenBatch(batch: PaddedBatch, options: TokenBatchOptions): TokenBatch {
  return layoutToBatch(layoutTokens(batch, options));
}

/** The same before it goes to the device. */
export function layoutTokens(batch: PaddedBatch, options: TokenBatchOptions): BatchLayout {
  checkSizes(batch, options);
  const layout: BatchLayout = { ids: [], positions: [], sequences: [], pooledRows: [] };
  for (let row = 0; row < batch.batchSize; row++) addText(layout, batch, row, options);
  const { rowMultiple = 1 } = options;
  while (layout.ids.length % rowMultiple !== 0) {
    layout.ids.push(0);
    layout.positions.push(0);
  }
  return layout;
}

function checkSizes(batch: PaddedBatch, { padTokenId, nPositions }: TokenBatchOptions): void {
  const { inputIds, attentionMask, batchSize, length } = batch;
  if (inputIds.length !== batchSize * length || attentionMask.length !== batchSize * length) {
    throw new Gpt2Error(
      'BAD_BATCH',
      `a batch of ${batchSize} x ${length} needs ${batchSize * length} ids and mask values, but has ${inputIds.length} and ${attentionMask.length}`,
    );
  }
  if (length > nPositions) {
    throw new Gpt2Error(
      'BAD_BATCH',
      `sequences of ${length} tokens do not fit the model's ${nPositions} positions: lower max_length`,
    );
  }
  if (padTokenId === null && batchSize > 1) {
    throw new Gpt2Error(
      'BAD_BATCH',
      'a batch of several texts needs a padding token: set padTokenId (GPT-2 takes its eos token)',
    );
  }
}

function addText(layout: BatchLayout, batch: PaddedBatch, row: number, options: TokenBatchOptions): void {
  const { padTokenId, vocabSize, packed = true } = options;
  const { ids, positions } = layout;
  const { length } = batch;
  const textIds = Array.from({ length }, (_, column) => batch.inputIds[row * length + column]!);
  const real = textIds.map((_, column) => batch.attentionMask[row * length + column] !== 0);
  textIds.forEach((id, column) => checkTokenId(id, vocabSize, `row ${row}, column ${column}`));
  const firstReal = real.indexOf(true);
  if (firstReal < 0) {
    // transformers has no one answer: what such a row attends to depends on its attention kernel and on the padding's width.
    throw new Gpt2Error(
      'BAD_BATCH',
      `row ${row} has no tokens, its attention mask is 0 throughout: leave the text out, or give it one token (GPT-2's eos) that the mask counts`,
    );
  }
  const endReal = real.lastIndexOf(true) + 1;
  const pooledColumn = Math.max(
    0,
    textIds.findLastIndex((id) => padTokenId === null || id !== padTokenId),
  );

  const rowStart = ids.length;
  let pooledRow = rowStart;
  for (let column = 0; column < length; column++) {
    if (packed && real[column] !== true) continue;
    if (column === pooledColumn) pooledRow = ids.length;
    ids.push(textIds[column]!);
    positions.push(column);
  }
  const rowCount = ids.length - rowStart;
  if (packed && real[pooledColumn] !== true && textIds[pooledColumn] !== padTokenId) {
    throw new Gpt2Error(
      'BAD_BATCH',
      `row ${row}: the token in column ${pooledColumn} is masked but is not padding, so it cannot be pooled`,
    );
  }
  if (!packed) requireContiguous(real, row, firstReal, endReal);
  layout.sequences.push(rowStart, rowCount, packed ? 0 : firstReal, packed ? rowCount : endReal);
  layout.pooledRows.push(pooledRow);
}

function requireContiguous(real: readonly boolean[], row: number, first: number, end: number): void {
  const hole = real.indexOf(false, first);
  if (hole < 0 || hole >= end) return;
  throw new Gpt2Error(
    'BAD_BATCH',
    `row ${row}: the attention mask has a hole in column ${hole}; use packed: true for such masks`,
  );
}
