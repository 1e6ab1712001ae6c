import { Gpt2Error } from '../errors';
import type { LayoutOptions, TextRow } from './layout';

/** A batch in transformers' shapes: flat row-major [batchSize, length] arrays. */
export interface PaddedBatch {
  readonly inputIds: ArrayLike<number>;
  readonly attentionMask: ArrayLike<number>;
  readonly batchSize: number;
  readonly length: number;
}

/**
 * The rows of a padded batch, padding still among their ids.
 *
 * @throws Gpt2Error BAD_BATCH where the arrays are not of the batch's size, or padding can't be told
 */
export function paddedRows(
  batch: PaddedBatch,
  { padTokenId, nPositions }: Pick<LayoutOptions, 'padTokenId' | 'nPositions'>,
): TextRow[] {
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
  const masks = slices(attentionMask, batch);
  return slices(inputIds, batch).map((ids, row) => ({ ids, mask: masks[row]! }));
}

/** The rows of a flat [batchSize, length] array. */
export function slices(values: ArrayLike<number>, { batchSize, length }: PaddedBatch): number[][] {
  return Array.from({ length: batchSize }, (_, row) =>
    Array.from({ length }, (_, column) => values[row * length + column]!),
  );
}
