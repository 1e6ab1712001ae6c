import { type Histogram } from './run-event';

const BINS = 30;

/**
 * The finite values of a tensor in 30 bins of one width from the smallest to the largest (TensorBoard's and W&B's usual
 * shape); the largest value belongs to the last bin. No values: one empty bin from 0 to 0. Equal values: one bin around them.
 */
export function histogram(values: ArrayLike<number>): Histogram {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { edges: [0, 0], counts: [0] };
  if (low === high) return { edges: [low, high], counts: [finiteCount(values)] };
  const edges = Array.from({ length: BINS + 1 }, (_, i) => (i === BINS ? high : low + ((high - low) * i) / BINS));
  const counts = new Array<number>(BINS).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) counts[Math.min(BINS - 1, Math.floor(((value - low) / (high - low)) * BINS))]!++;
  }
  return { edges, counts };
}

function finiteCount(values: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) count++;
  return count;
}
