import type { CollatedBatch, DataCollatorWithPadding, Dataset, PreparedRow } from '@qlora-js/data';

/**
 * Every row once, rows of like length together: the metrics do not depend on the order, and the batches hold little
 * padding.
 */
export function evaluationBatches(
  dataset: Dataset<PreparedRow>,
  batchSize: number,
  collator: DataCollatorWithPadding,
): CollatedBatch[] {
  const lengths = dataset.column('input_ids').map((ids) => ids.length);
  const order = lengths.map((_, row) => row).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const list: CollatedBatch[] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    list.push(collator.collate(order.slice(start, start + batchSize).map((row) => dataset.row(row))));
  }
  return list;
}
