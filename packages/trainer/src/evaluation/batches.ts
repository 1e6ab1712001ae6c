import type { CollatableRow, CollatedBatch, DataCollator, Dataset } from '@qlora-js/data';

/** Row numbers, rows of like length together. */
export function evaluationOrder(dataset: Dataset<CollatableRow>): number[] {
  const lengths = dataset.column('input_ids').map((ids) => ids.length);
  return lengths.map((_, row) => row).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
}

/**
 * Every row once, rows of like length together: the metrics do not depend on the order, and the batches hold little
 * padding.
 */
export function evaluationBatches(
  dataset: Dataset<CollatableRow>,
  batchSize: number,
  collator: DataCollator,
): CollatedBatch[] {
  const order = evaluationOrder(dataset);
  const list: CollatedBatch[] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    list.push(collator.collate(order.slice(start, start + batchSize).map((row) => dataset.row(row))));
  }
  return list;
}
