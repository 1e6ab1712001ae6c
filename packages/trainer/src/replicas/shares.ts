import type { BatchRow, CollatedBatch } from '@qlora-js/data';
import { placed, type WindowPart } from '../steps/gradients';

/** What a batch's loss is a mean over. */
type ItemsOf = (batch: CollatedBatch) => number;

/**
 * Deals the rows of every micro-batch out to `workers`, longest first, each to the worker with the fewest real tokens
 * so far: padding is left out of compute, so tokens are what takes time. Rows keep their places in the window, and so
 * draw the dropout masks that one thread alone would. A worker for which a micro-batch has no row left has no part of it.
 *
 * @returns each worker's parts, in the order of the micro-batches
 */
export function shareWindow(
  window: readonly CollatedBatch[],
  workers: number,
  itemsOf: ItemsOf = ({ batchSize }) => batchSize,
): WindowPart[][] {
  const items = window.reduce((sum, batch) => sum + itemsOf(batch), 0);
  const parts = Array.from({ length: workers }, (): WindowPart[] => []);
  for (const batch of placed(window)) {
    dealRows(batch, workers).forEach((share, worker) => {
      if (share.length === 0) return;
      const taken = takeRows(batch, share);
      const weight = itemsOf(taken) / items;
      parts[worker]!.push({ batch: taken, weight });
    });
  }
  return parts;
}

/** Which rows of a batch each worker takes, in ascending order. */
export function dealRows({ rows }: CollatedBatch, workers: number): number[][] {
  return deal(rows.map(tokensOf), workers);
}

/** Tokens of a row that count. */
function tokensOf({ ids, mask }: BatchRow): number {
  return mask === undefined ? ids.length : mask.reduce((sum, value) => sum + value, 0);
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

function takeRows({ rows, labels, batchSize, length }: CollatedBatch, share: readonly number[]): CollatedBatch {
  const width = labels.length / batchSize;
  const taken = labels.slice(0, share.length * width);
  share.forEach((row, index) => taken.set(labels.subarray(row * width, (row + 1) * width), index * width));
  const own = share.map((row) => rows[row]!);
  const realTokens = own.reduce((sum, row) => sum + tokensOf(row), 0);
  return { rows: own, labels: taken, batchSize: own.length, length, realTokens };
}
