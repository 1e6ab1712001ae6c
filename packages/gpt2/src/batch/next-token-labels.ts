import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import { Gpt2Error } from '../errors';
import type { TextRow } from './layout';
import { slices, type PaddedBatch } from './padded-batch';

/** Label of rows that count in no loss, as in torch's cross_entropy. */
export const IGNORED_LABEL = -100;

/** A text and what is to be learnt of it. */
export interface LabelledRow extends TextRow {
  /** One for each id, as transformers takes them: -100 where nothing is to be learnt; the ids by default. */
  readonly labels?: ArrayLike<number>;
}

export interface NextTokenLabelsOptions {
  /** As in `tokenBatch`: rows of padding are left out (default) or kept. */
  readonly packed?: boolean;
  /** Of a padded batch, flat [batchSize, length]: see `LabelledRow`. */
  readonly labels?: ArrayLike<number>;
}

/**
 * What a language model is to predict in each row of `tokenBatch(batch)`: the label one column to the right
 * (transformers, loss/loss_utils.py ForCausalLMLoss). A row counts only where it and the column after it are real
 * tokens. transformers also counts the first token after left padding, predicted from a padding token.
 *
 * @returns int32 [rows]; -100 where a row counts in no loss
 */
export function nextTokenLabels(
  batch: readonly LabelledRow[] | PaddedBatch,
  { packed = true, labels }: NextTokenLabelsOptions = {},
): Tensor1D {
  const rows = 'inputIds' in batch ? labelledRows(batch, labels) : batch;
  return tensor1d(nextTokenIds(rows, packed), 'int32');
}

/** The same before it goes to the device. */
export function nextTokenIds(rows: readonly LabelledRow[], packed = true): number[] {
  const targets: number[] = [];
  for (const { ids, mask, labels = ids } of rows) {
    const isReal = (place: number): boolean => place < ids.length && (mask === undefined || mask[place] !== 0);
    for (let place = 0; place < ids.length; place++) {
      const real = isReal(place);
      if (!real && packed) continue;
      targets.push(real && isReal(place + 1) ? labels[place + 1]! : IGNORED_LABEL);
    }
  }
  return targets;
}

function labelledRows(batch: PaddedBatch, labels: ArrayLike<number> = batch.inputIds): LabelledRow[] {
  const { inputIds, attentionMask, batchSize, length } = batch;
  if (labels.length !== batchSize * length) {
    throw new Gpt2Error(
      'BAD_BATCH',
      `a batch of ${batchSize} x ${length} needs ${batchSize * length} labels, but has ${labels.length}`,
    );
  }
  const [ids, masks, own] = [inputIds, attentionMask, labels].map((values) => slices(values, batch));
  return ids!.map((row, at) => ({ ids: row, mask: masks![at]!, labels: own![at]! }));
}
