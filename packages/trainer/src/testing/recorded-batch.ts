import type { CollatedBatch } from '@qlora-js/data';

/** What Python has recorded of a batch, flat [batchSize, length] but for a row's labels. */
export interface RecordedArrays {
  readonly inputIds: Int32Array;
  readonly attentionMask: Int32Array;
  readonly labels: Int32Array | Float32Array;
  readonly batchSize: number;
}

/** The batch of padded arrays: its rows, with padding where the mask has it. */
export function recordedBatch(
  { inputIds, attentionMask, labels, batchSize }: RecordedArrays,
  perToken = false,
): CollatedBatch {
  const length = inputIds.length / batchSize;
  const rows = Array.from({ length: batchSize }, (_, row) => {
    const part = (values: Int32Array): Int32Array => values.slice(row * length, (row + 1) * length);
    const text = { ids: part(inputIds), mask: part(attentionMask), start: 0 };
    return perToken ? { ...text, labels: part(labels as Int32Array) } : text;
  });
  const realTokens = attentionMask.reduce((sum, value) => sum + value, 0);
  return { rows, labels: perToken ? new Int32Array(0) : labels, batchSize, length, realTokens };
}
