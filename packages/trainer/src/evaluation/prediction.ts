import type { CollatedBatch } from '@qlora-js/data';

/** What a model said of rows, in the order of the data set (transformers' EvalPrediction). */
export interface EvalPrediction {
  /** Logits, [rows * numLabels]. */
  readonly predictions: Float32Array;
  readonly numLabels: number;
  /** Ids [rows]; a 0 or 1 a label, or numbers to be predicted, [rows * numLabels]. */
  readonly labelIds: Int32Array | Float32Array;
}

/**
 * Logits and labels of batches, put into the order of the data set.
 *
 * @param logits [rows * numLabels] in the order of the batches
 * @param order the data set's row at each place of the batches
 */
export function inOrderOfRows(
  batches: readonly CollatedBatch[],
  logits: Float32Array,
  order: readonly number[],
): EvalPrediction {
  const numLabels = logits.length / order.length;
  const width = batches[0]!.labels.length / batches[0]!.batchSize;
  const predictions = new Float32Array(logits.length);
  const labelIds =
    batches[0]!.labels instanceof Int32Array
      ? new Int32Array(order.length * width)
      : new Float32Array(order.length * width);
  let place = 0;
  for (const { batchSize, labels } of batches) {
    for (let row = 0; row < batchSize; row++, place++) {
      const to = order[place]!;
      predictions.set(logits.subarray(place * numLabels, (place + 1) * numLabels), to * numLabels);
      labelIds.set(labels.subarray(row * width, (row + 1) * width), to * width);
    }
  }
  return { predictions, numLabels, labelIds };
}
