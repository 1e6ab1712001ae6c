import { tensor1d, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { randomState, type ForwardContext, type RandomPosition } from '@qlora-js/kernels';
import { layoutRows, type BatchLayout, type LayoutOptions, type TextRow } from './layout';
import { paddedRows, type PaddedBatch } from './padded-batch';

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

/** A batch whose rows' numbers the host has. */
export interface NumberedBatch extends TokenBatch {
  /** See `BatchLayout`. */
  readonly numbers: readonly number[];
  /** Those of the pooled rows. */
  readonly pooledNumbers: readonly number[];
}

function layoutToBatch({ ids, positions, sequences, pooledRows, numbers }: BatchLayout): NumberedBatch {
  const batch = tokenBatchOf({
    ids: tensor1d(ids, 'int32'),
    positions: tensor1d(positions, 'int32'),
    sequences: tensor2d(sequences, [pooledRows.length, 4], 'int32'),
    pooledRows: tensor1d(pooledRows, 'int32'),
  });
  return { ...batch, numbers, pooledNumbers: pooledRows.map((row) => numbers[row]!) };
}

/** What a training pass over a batch is given: its dropout's random states. */
export interface TrainingContext extends ForwardContext {
  readonly training: true;
  readonly random: Tensor1D;
  readonly randomAfter: Tensor1D;
  dispose(): void;
}

/** The context of a training pass in which the pooled rows go on after the last attention, as a classifier's do. */
export function trainingContext({ numbers, pooledNumbers }: NumberedBatch, position: RandomPosition): TrainingContext {
  const [random, randomAfter] = [randomState(position, numbers), randomState(position, pooledNumbers)];
  return {
    training: true,
    random,
    randomAfter,
    dispose: () => [random, randomAfter].forEach((state) => state.dispose()),
  };
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

/**
 * Texts for the model, or a padded batch of them: see `layoutRows`.
 *
 * @throws Gpt2Error BAD_BATCH naming the row and column
 */
export function tokenBatch(batch: readonly TextRow[] | PaddedBatch, options: LayoutOptions): NumberedBatch {
  const texts = 'inputIds' in batch ? paddedRows(batch, options) : batch;
  return layoutToBatch(layoutRows(texts, options));
}

/**
 * Token ids of any lengths, each text with positions from 0 on. A text's pooled row is its last one.
 *
 * @throws Gpt2Error BAD_BATCH for an empty text, too long a text, an id outside the vocabulary
 */
export function packSequences(
  sequences: readonly ArrayLike<number>[],
  { nPositions, vocabSize }: Pick<LayoutOptions, 'nPositions' | 'vocabSize'>,
): NumberedBatch {
  const texts = sequences.map((ids) => ({ ids }));
  return layoutToBatch(layoutRows(texts, { padTokenId: null, nPositions, vocabSize }));
}
