import { tidy } from '@tensorflow/tfjs-core';
import type { DataCollatorWithPadding, Dataset, PreparedRow } from '@qlora-js/data';
import { INFERENCE } from '@qlora-js/kernels';
import { uploadBatch, type TrainableModel, type UploadedBatch } from '../model/trainable-model';
import { evaluationOrder } from './batches';

/** How rows are put into batches. */
export interface PredictedLogitsOptions {
  readonly batchSize: number;
  readonly collator: DataCollatorWithPadding;
}

/** Logits of every row, [rows * numLabels] in the order of the rows. */
export async function predictedLogits<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  dataset: Dataset<PreparedRow>,
  { batchSize, collator }: PredictedLogitsOptions,
): Promise<Float32Array> {
  const { numLabels } = model;
  const order = evaluationOrder(dataset);
  const all = new Float32Array(order.length * numLabels);
  for (let start = 0; start < order.length; start += batchSize) {
    const rows = order.slice(start, start + batchSize);
    const batch = uploadBatch(model, collator.collate(rows.map((row) => dataset.row(row))));
    const output = tidy(() => model.loss(batch, INFERENCE).logits);
    const logits = await output.data<'float32'>();
    output.dispose();
    batch.dispose();
    rows.forEach((row, place) => all.set(logits.subarray(place * numLabels, (place + 1) * numLabels), row * numLabels));
  }
  return all;
}
