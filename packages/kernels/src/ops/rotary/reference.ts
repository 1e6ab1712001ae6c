import type { RotaryHeads } from './types';

export interface RotaryProblem extends RotaryHeads {
  readonly rows: number;
  readonly headSize: number;
  readonly positions: ArrayLike<number>;
  /** [positions, headSize]: cosines, then sines */
  readonly table: ArrayLike<number>;
}

/** Rotates a head's pairs (d, d + headSize / 2) by its row's angles, or back by them. */
function rotate(
  source: ArrayLike<number>,
  from: number,
  target: Float64Array,
  to: number,
  row: number,
  { headSize, positions, table }: RotaryProblem,
  direction: 1 | -1,
): void {
  const half = headSize / 2;
  for (let d = 0; d < half; d++) {
    const cos = table[positions[row]! * headSize + d]!;
    const sin = direction * table[positions[row]! * headSize + half + d]!;
    const [first, second] = [source[from + d]!, source[from + half + d]!];
    target[to + d] = first * cos - second * sin;
    target[to + half + d] = second * cos + first * sin;
  }
}

/**
 * q and k rotated, and v as it is, beside each other, in float64: rotary position embedding (Su et al. 2021, section
 * 3.4.2) as transformers' apply_rotary_pos_emb pairs the columns (rotate_half, models/llama/modeling_llama.py).
 */
export function rotaryReference(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  problem: RotaryProblem,
): Float64Array {
  const { rows, heads, keyValueHeads, headSize } = problem;
  const blocks = heads + 2 * keyValueHeads;
  const y = new Float64Array(rows * blocks * headSize);
  for (let row = 0; row < rows; row++) {
    const start = row * blocks * headSize;
    for (let head = 0; head < heads; head++) {
      rotate(q, (row * heads + head) * headSize, y, start + head * headSize, row, problem, 1);
    }
    for (let head = 0; head < keyValueHeads; head++) {
      const from = (row * keyValueHeads + head) * headSize;
      const key = start + (heads + head) * headSize;
      rotate(k, from, y, key, row, problem, 1);
      for (let d = 0; d < headSize; d++) y[key + keyValueHeads * headSize + d] = v[from + d]!;
    }
  }
  return y;
}

/** Gradients of sum(dy * rotary(q, k, v)): dy rotated back, and taken apart. */
export function rotaryBackwardReference(
  dy: ArrayLike<number>,
  problem: RotaryProblem,
): Record<'dq' | 'dk' | 'dv', Float64Array> {
  const { rows, heads, keyValueHeads, headSize } = problem;
  const blocks = heads + 2 * keyValueHeads;
  const dq = new Float64Array(rows * heads * headSize);
  const [dk, dv] = [0, 1].map(() => new Float64Array(rows * keyValueHeads * headSize)) as [Float64Array, Float64Array];
  for (let row = 0; row < rows; row++) {
    const start = row * blocks * headSize;
    for (let head = 0; head < heads; head++) {
      rotate(dy, start + head * headSize, dq, (row * heads + head) * headSize, row, problem, -1);
    }
    for (let head = 0; head < keyValueHeads; head++) {
      const to = (row * keyValueHeads + head) * headSize;
      const key = start + (heads + head) * headSize;
      rotate(dy, key, dk, to, row, problem, -1);
      for (let d = 0; d < headSize; d++) dv[to + d] = dy[key + keyValueHeads * headSize + d]!;
    }
  }
  return { dq, dk, dv };
}
