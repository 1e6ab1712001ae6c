import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import { Gpt2Error } from '../errors';
import type { PaddedBatch } from './token-batch';

/** Label of rows that count in no loss, as in torch's cross_entropy. */
export const IGNORED_LABEL = -100;

export interface NextTokenLabelsOptions {
  /** As in `tokenBatch`: rows of padding are left out (default) or kept. */
  readonly packed?: boolean;
  /** Flat [batchSize, length] as transformers takes them: -100 where nothing is to be learnt; the ids by default. */
  readonly labels?: ArrayLike<number>;
}

/**
 * What a language model is to predict in each row of `tokenBatch(batch)`: the label one column to the right
 * (transformers, loss/loss_utils.py ForCausalLMLoss). A row counts only where it and the column after it are real
 * tokens. transformers also counts the first token after left padding, predicted from a padding token.
 *
 * @returns int32 [rows]; -100 where a row counts in no loss
 */
export function nextTokenLabels(batch: PaddedBatch, options: NextTokenLabelsOptions = {}): Tensor1D {
  return tensor1d(nextTokenIds(batch, options), 'int32');
}

/** The same before it goes to the device. */
export function nextTokenIds(batch: PaddedBatch, options: NextTokenLabelsOptions = {}): number[] {
  const { attentionMask, batchSize, length } = batch;
  const { packed = true, labels = batch.inputIds } = options;
  if (labels.length !== batchSize * length) {
    throw new Gpt2Error(
      'BAD_BATCH',
      `a batch of ${batchSize} x ${length} needs ${batchSize * length} labels, but has ${labels.length}`,
    );
  }
  const targets: number[] = [];
  for (let row = 0; row < batchSize; row++) {
    for (let column = 0; column < length; column++) {
      const at = row * length + column;
      const real = attentionMask[at] !== 0;
      if (!real && packed) continue;
      const counts = real && column + 1 < length && attentionMask[at + 1] !== 0;
      targets.push(counts ? labels[at + 1]! : IGNORED_LABEL);
    }
  }
  return targets;
}
