import type { CollatedBatch } from './collator';
import { IGNORED_LABEL } from './language-model-collator';

/** A batch in transformers' shapes, row-major [batchSize, length]. */
export interface PaddedArrays {
  /** [batchSize, length] */
  readonly inputIds: Int32Array;
  /** [batchSize, length], 1 for a token, 0 for padding */
  readonly attentionMask: Int32Array;
  /** As the batch has them; under a language model [batchSize, length], -100 in padding. */
  readonly labels: Int32Array | Float32Array;
}

/**
 * What transformers' collator of the same name makes of the rows.
 *
 * @param padTokenId the id that fills rows up
 */
export function padBatch({ rows, labels, batchSize, length }: CollatedBatch, padTokenId: number): PaddedArrays {
  const inputIds = new Int32Array(batchSize * length).fill(padTokenId);
  const attentionMask = new Int32Array(batchSize * length);
  const perToken = rows.some((row) => row.labels !== undefined);
  const padded = perToken ? new Int32Array(batchSize * length).fill(IGNORED_LABEL) : labels;
  rows.forEach(({ ids, mask, start, labels: own }, row) => {
    const at = row * length + start;
    inputIds.set(ids, at);
    if (mask === undefined) attentionMask.fill(1, at, at + ids.length);
    else attentionMask.set(mask, at);
    if (own !== undefined) padded.set(own, at);
  });
  return { inputIds, attentionMask, labels: padded };
}
