import type { CollatedBatch } from '@qlora-js/data';
import { TrainerError } from '../errors';
import type { WindowPart } from '../steps/gradients';

/** What a batch's loss is a mean over. */
type ItemsOf = (batch: CollatedBatch) => number;

/** Between the dropout streams of two workers: more than the micro-batches a window may have. */
const STREAMS = 2 ** 16;

/**
 * Deals the rows of every micro-batch out to `workers`, longest first, each to the worker with the fewest real tokens
 * so far: padding is left out of compute, so tokens are what takes time. Worker 0 draws the dropout masks that the whole
 * micro-batch would, the others those of micro-batch number `microBatch + worker * 65536`. A worker for which a
 * micro-batch has no row left has no part of it.
 *
 * @returns each worker's parts, in the order of the micro-batches
 */
export function shareWindow(
  window: readonly CollatedBatch[],
  workers: number,
  itemsOf: ItemsOf = ({ batchSize }) => batchSize,
): WindowPart[][] {
  if (window.length > STREAMS) {
    throw new TrainerError(
      'BAD_ARGUMENT',
      `a window of ${window.length} micro-batches is over the ${STREAMS} there may be`,
    );
  }
  const items = window.reduce((sum, batch) => sum + itemsOf(batch), 0);
  const parts = Array.from({ length: workers }, (): WindowPart[] => []);
  window.forEach((batch, microBatch) => {
    dealRows(batch, workers).forEach((share, worker) => {
      if (share.length === 0) return;
      const taken = takeRows(batch, share);
      const weight = itemsOf(taken) / items;
      parts[worker]!.push({ batch: taken, microBatch: microBatch + worker * STREAMS, weight });
    });
  });
  return parts;
}

/** Which rows of a batch each worker takes, in ascending order. */
export function dealRows({ attentionMask, batchSize, length }: CollatedBatch, workers: number): number[][] {
  const tokens = Array.from({ length: batchSize }, (_, row) =>
    attentionMask.subarray(row * length, (row + 1) * length).reduce((sum, value) => sum + value, 0),
  );
  return deal(tokens, workers);
}

/**
 * Deals things out by size, largest first, each to the worker with the least so far; of several the first.
 *
 * @returns the indices each worker takes, ascending
 */
export function deal(sizes: readonly number[], workers: number): number[][] {
  const largestFirst = sizes.map((_, index) => index).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const loads = new Array<number>(workers).fill(0);
  const shares = Array.from({ length: workers }, (): number[] => []);
  for (const index of largestFirst) {
    const worker = loads.indexOf(Math.min(...loads));
    loads[worker]! += sizes[index]!;
    shares[worker]!.push(index);
  }
  return shares.map((share) => share.sort((a, b) => a - b));
}

function takeRows(batch: CollatedBatch, rows: readonly number[]): CollatedBatch {
  const { length, batchSize } = batch;
  const take = <Values extends Int32Array | Float32Array>(values: Values): Values => {
    const width = values.length / batchSize;
    const taken = values.slice(0, rows.length * width) as Values;
    rows.forEach((row, index) => taken.set(values.subarray(row * width, (row + 1) * width), index * width));
    return taken;
  };
  const attentionMask = take(batch.attentionMask);
  return {
    inputIds: take(batch.inputIds),
    attentionMask,
    labels: take(batch.labels),
    batchSize: rows.length,
    length,
    realTokens: attentionMask.reduce((sum, value) => sum + value, 0),
  };
}
