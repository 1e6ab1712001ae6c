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

/**
 * Lays a padded batch out for the model. Pooling follows transformers' GPT2ForSequenceClassification
 * (models/gpt2/modeling_gpt2.py): the rightmost id that differs from pad_token_id, whatever the mask says; the first
 * column where every id is padding.
 */
export function tokenBatch(batch: PaddedBatch, options: TokenBatchOptions): TokenBatch {
  const { inputIds, attentionMask, batchSize, length } = batch;
  const { padTokenId, nPositions, vocabSize, packed = true } = options;
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
  const ids: number[] = [];
  const positions: number[] = [];
  const sequences: number[] = [];
  const pooledRows: number[] = [];
  for (let row = 0; row < batchSize; row++) {
    const rowStart = ids.length;
    let pooledColumn = 0;
    let pooledRow = rowStart;
    let firstReal = -1;
    let endReal = 0;
    for (let column = 0; column < length; column++) {
      const at = row * length + column;
      const id = inputIds[at]!;
      if (!(id >= 0 && id < vocabSize)) {
        throw new Gpt2Error(
          'BAD_BATCH',
          `token id ${id} in row ${row}, column ${column} is outside the vocabulary of ${vocabSize}: the tokenizer is another model's`,
        );
      }
      const real = attentionMask[at] !== 0;
      if (real) {
        if (firstReal < 0) firstReal = column;
        endReal = column + 1;
      }
      if (id !== padTokenId || padTokenId === null) pooledColumn = column;
      if (real || !packed) {
        if (pooledColumn === column) pooledRow = ids.length;
        ids.push(id);
        positions.push(column);
      } else if (pooledColumn === column && id !== padTokenId) {
        throw new Gpt2Error(
          'BAD_BATCH',
          `row ${row}: the token in column ${column} is masked but is not padding, so it cannot be pooled`,
        );
      }
    }
    if (ids.length === rowStart) {
      ids.push(inputIds[row * length]!);
      positions.push(0);
      [firstReal, endReal] = [0, 1];
    }
    const rowCount = ids.length - rowStart;
    if (!packed) requireContiguous(attentionMask, row, length, firstReal, endReal);
    sequences.push(rowStart, rowCount, packed ? 0 : Math.max(0, firstReal), packed ? rowCount : endReal);
    pooledRows.push(pooledRow);
  }
  const tensors = {
    ids: tensor1d(ids, 'int32'),
    positions: tensor1d(positions, 'int32'),
    sequences: tensor2d(sequences, [batchSize, 4], 'int32'),
    pooledRows: tensor1d(pooledRows, 'int32'),
  };
  return {
    ...tensors,
    rows: ids.length,
    batchSize,
    dispose: () => Object.values(tensors).forEach((tensor) => tensor.dispose()),
  };
}

function requireContiguous(mask: ArrayLike<number>, row: number, length: number, first: number, end: number): void {
  for (let column = Math.max(0, first); column < end; column++) {
    if (mask[row * length + column] === 0) {
      throw new Gpt2Error(
        'BAD_BATCH',
        `row ${row}: the attention mask has a hole in column ${column}; use packed: true for such masks`,
      );
    }
  }
}
