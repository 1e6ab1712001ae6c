import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { PeftModel } from '../model/peft-model';
import { mergeAdapters, type MergeOptions, type OriginalWeights } from './merge';

/** How one way of merging differs from the adapter beside its base. */
export interface MergeComparisonRow {
  readonly name: 'adapter' | 'dense merge' | '4-bit merge';
  /** Share of rows whose largest logit is the label's; undefined without labels. */
  readonly accuracy: number | undefined;
  /** Root of the mean squared difference to the adapter's logits. */
  readonly logitsRmse: number;
  readonly logitsMaxDifference: number;
  /** Rows whose prediction differs from the adapter's. */
  readonly changedPredictions: number;
}

export interface CompareMergesOptions {
  /** Logits [rows, labels] of the model as it stands, on rows of the caller's choice. */
  readonly logits: () => Tensor2D;
  readonly labels?: ArrayLike<number>;
  /** What merges start from; see MergeOptions. */
  readonly base: 'decoded' | OriginalWeights;
}

/**
 * Adapter, dense merge and 4-bit merge side by side on the same rows: merging changes results, and a 4-bit merge rounds
 * the update away where it is small. The model is left as it was.
 */
export async function compareMerges(
  model: PeftModel,
  { logits, labels, base }: CompareMergesOptions,
): Promise<MergeComparisonRow[]> {
  const adapter = await read(logits);
  const rows: MergeComparisonRow[] = [row('adapter', adapter, adapter, labels)];
  const ways: readonly [MergeComparisonRow['name'], MergeOptions['into']][] = [
    ['dense merge', 'dense'],
    ['4-bit merge', 'base-kind'],
  ];
  for (const [name, into] of ways) {
    const merged = await mergeAdapters(model, { into, base });
    try {
      rows.push(row(name, await read(logits), adapter, labels));
    } finally {
      merged.unmerge();
    }
  }
  return rows;
}

interface Logits {
  readonly values: Float32Array;
  readonly columns: number;
}

async function read(logits: () => Tensor2D): Promise<Logits> {
  const tensor = logits();
  const values = (await tensor.data()) as Float32Array;
  const [, columns] = tensor.shape;
  tensor.dispose();
  return { values, columns };
}

function row(
  name: MergeComparisonRow['name'],
  { values, columns }: Logits,
  adapter: Logits,
  labels: ArrayLike<number> | undefined,
): MergeComparisonRow {
  let squares = 0;
  let largest = 0;
  values.forEach((value, i) => {
    const difference = Math.abs(value - adapter.values[i]!);
    squares += difference ** 2;
    largest = Math.max(largest, difference);
  });
  const predictions = argmaxRows(values, columns);
  const reference = argmaxRows(adapter.values, columns);
  return {
    name,
    accuracy:
      labels === undefined
        ? undefined
        : predictions.filter((label, i) => label === labels[i]).length / predictions.length,
    logitsRmse: Math.sqrt(squares / values.length),
    logitsMaxDifference: largest,
    changedPredictions: predictions.filter((label, i) => label !== reference[i]).length,
  };
}

function argmaxRows(values: Float32Array, columns: number): number[] {
  return Array.from({ length: values.length / columns }, (_, r) => {
    let best = 0;
    for (let c = 1; c < columns; c++) if (values[r * columns + c]! > values[r * columns + best]!) best = c;
    return best;
  });
}
