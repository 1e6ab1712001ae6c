import { DropoutStream, dropoutNumbers } from '../../random/dropout-stream';
import { attends, readSequences, type Sequence } from './sequences';

export interface AttentionProblem {
  /** [rows, (heads + 2 * keyValueHeads) * headSize] */
  readonly qkv: ArrayLike<number>;
  readonly rows: number;
  readonly heads: number;
  /** `heads` by default */
  readonly keyValueHeads?: number;
  readonly headSize: number;
  readonly scale: number;
  /** [S, 4] */
  readonly sequences: ArrayLike<number>;
  readonly keyStride: number;
  readonly dropout?: { readonly rate: number; readonly site: number; readonly random: ArrayLike<number> };
}

/** Columns of a packed row, and where the keys and values that a head of queries meets begin in it. */
function packedColumns({ heads, keyValueHeads = heads, headSize }: AttentionProblem) {
  const shared = (head: number): number => Math.floor((head * keyValueHeads) / heads);
  return {
    width: (heads + 2 * keyValueHeads) * headSize,
    keyAt: (head: number): number => (heads + shared(head)) * headSize,
    valueAt: (head: number): number => (heads + keyValueHeads + shared(head)) * headSize,
  };
}

interface Row {
  readonly sequence: Sequence;
  /** Counted from the sequence's first row. */
  readonly i: number;
  readonly head: number;
  /** softmax over all keys of the sequence, 0 where nothing is attended to */
  readonly probabilities: Float64Array;
  /** what each probability is multiplied by */
  readonly factor: Float64Array;
}

function* softmaxRows(problem: AttentionProblem): Generator<Row> {
  const { qkv, rows, heads, headSize, scale, keyStride, dropout } = problem;
  const { width, keyAt } = packedColumns(problem);
  for (const sequence of readSequences(problem.sequences, rows, keyStride)) {
    const { rowStart, rowCount } = sequence;
    for (let i = 0; i < rowCount; i++) {
      for (let head = 0; head < heads; head++) {
        const score = new Float64Array(rowCount).fill(-Infinity);
        for (let j = 0; j < rowCount; j++) {
          if (!attends(sequence, i, j)) continue;
          score[j] = 0;
          for (let d = 0; d < headSize; d++) {
            const q = qkv[(rowStart + i) * width + head * headSize + d]!;
            const k = qkv[(rowStart + j) * width + keyAt(head) + d]!;
            score[j]! += q * k * scale;
          }
        }
        const largest = Math.max(...score);
        const weight = score.map((value) => (value === -Infinity ? 0 : Math.exp(value - largest)));
        const total = weight.reduce((sum, value) => sum + value, 0);
        const factor = new Float64Array(rowCount).fill(1);
        if (dropout !== undefined) {
          const stream = new DropoutStream(dropout.random, dropout.site, dropoutNumbers(dropout.rate).threshold);
          for (let j = 0; j < rowCount; j++) {
            factor[j] = stream.keeps(rowStart + i, head * keyStride + j) ? 1 / (1 - dropout.rate) : 0;
          }
        }
        yield { sequence, i, head, probabilities: weight.map((value) => (total === 0 ? 0 : value / total)), factor };
      }
    }
  }
}

/**
 * Causal multi-head attention in float64 (Vaswani et al. 2017, section 3.2.1): y = dropout(softmax(q kᵀ scale)) v,
 * within each sequence, as GPT-2's attention computes it from the packed q, k, v of c_attn; with fewer heads of keys
 * and values, heads of queries share them in order (Ainslie et al. 2023, section 2.2).
 */
export function attentionReference(problem: AttentionProblem): Float64Array {
  const { qkv, rows, heads, headSize } = problem;
  const { width, valueAt } = packedColumns(problem);
  const columns = heads * headSize;
  const y = new Float64Array(rows * columns);
  for (const { sequence, i, head, probabilities, factor } of softmaxRows(problem)) {
    for (let j = 0; j < sequence.rowCount; j++) {
      const weight = probabilities[j]! * factor[j]!;
      for (let d = 0; d < headSize; d++) {
        const v = qkv[(sequence.rowStart + j) * width + valueAt(head) + d]!;
        y[(sequence.rowStart + i) * columns + head * headSize + d]! += weight * v;
      }
    }
  }
  return y;
}

/** The gradient of sum(dy * attention(qkv)) by qkv. */
export function attentionBackwardReference(problem: AttentionProblem, dy: ArrayLike<number>): Float64Array {
  const { qkv, rows, heads, headSize, scale } = problem;
  const { width, keyAt, valueAt } = packedColumns(problem);
  const dqkv = new Float64Array(rows * width);
  for (const { sequence, i, head, probabilities, factor } of softmaxRows(problem)) {
    const { rowStart, rowCount } = sequence;
    const query = (rowStart + i) * width + head * headSize;
    const out = ((rowStart + i) * heads + head) * headSize;
    const key = (j: number) => (rowStart + j) * width + keyAt(head);
    const value = (j: number) => (rowStart + j) * width + valueAt(head);
    const dProbability = new Float64Array(rowCount);
    let projected = 0;
    for (let j = 0; j < rowCount; j++) {
      for (let d = 0; d < headSize; d++) {
        dProbability[j]! += dy[out + d]! * qkv[value(j) + d]! * factor[j]!;
        dqkv[value(j) + d]! += probabilities[j]! * factor[j]! * dy[out + d]!;
      }
      projected += probabilities[j]! * dProbability[j]!;
    }
    for (let j = 0; j < rowCount; j++) {
      const dScore = probabilities[j]! * (dProbability[j]! - projected) * scale;
      for (let d = 0; d < headSize; d++) {
        dqkv[query + d]! += dScore * qkv[key(j) + d]!;
        dqkv[key(j) + d]! += dScore * qkv[query + d]!;
      }
    }
  }
  return dqkv;
}
