import {
  add,
  concat,
  gather,
  keep,
  matMul,
  mul,
  reshape,
  slice,
  softmax,
  tensor1d,
  tensor4d,
  tidy,
  transpose,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import type { AttentionOptions } from '@qlora-js/kernels';
import type { TokenBatch } from '../batch/token-batch';
import { attendWithin, type Attend } from './attend';

/** Large enough that exp of it is 0 beside any score. */
const MASKED_SCORE = -1e30;

interface LayerCache {
  /** [batchSize, keyValueHeads, columns, headSize] */
  readonly keys: Tensor4D;
  readonly values: Tensor4D;
}

/**
 * Keys and values of the tokens that sequences have seen, so that a new token costs one row instead of the whole
 * sequence. Sequences end in the same column; the columns before a shorter one's first token are masked.
 */
export class KeyValueCache {
  private layers: LayerCache[] = [];
  /** First column of each sequence that is no padding. */
  private readonly starts: readonly number[];
  private columns: number;

  /** @param lengths tokens of each prompt */
  constructor(private readonly lengths: readonly number[]) {
    this.columns = Math.max(...lengths);
    this.starts = lengths.map((length) => this.columns - length);
  }

  /** Runs a pass over the prompts and remembers their keys and values. The batch is packed: one prompt after another. */
  readPrompts<Result extends Tensor>(batch: TokenBatch, pass: (attend: Attend) => Result): Result {
    const rows = this.promptRows();
    const within = attendWithin(batch.sequences);
    const result = tidy(() =>
      pass((qkv, options, layer) => {
        this.layers[layer] = rememberLayer(
          ...keysAndValues(gather(qkv, rows), this.lengths.length, this.columns, options),
        );
        return within(qkv, options, layer);
      }),
    );
    rows.dispose();
    return result;
  }

  /** Runs a pass over one new token a sequence, which attends to all before it and to itself. */
  readNext<Result extends Tensor>(pass: (attend: Attend) => Result): Result {
    this.columns++;
    return tidy(() => {
      const mask = this.mask();
      return pass((qkv, options, layer) => this.attendCached(qkv, options, layer, mask));
    });
  }

  dispose(): void {
    this.layers.forEach(disposeLayer);
    this.layers = [];
  }

  private attendCached(qkv: Tensor2D, options: AttentionOptions, layer: number, mask: Tensor4D): Tensor2D {
    const before = this.layers[layer]!;
    const batchSize = this.lengths.length;
    const [newKeys, newValues] = keysAndValues(qkv, batchSize, 1, options);
    const { keys, values } = rememberLayer(concat([before.keys, newKeys], 2), concat([before.values, newValues], 2));
    this.layers[layer] = { keys, values };
    disposeLayer(before);
    const { heads, headSize, keyValueHeads } = packed(qkv, options);
    // Heads of queries that share keys are neighbours: rows beside each other of one product.
    const queries = reshape(slice(qkv, [0, 0], [batchSize, heads * headSize]), [
      batchSize,
      keyValueHeads,
      heads / keyValueHeads,
      headSize,
    ]);
    const scores = add(mul(matMul(queries, keys, false, true), options.scale), mask);
    return reshape(matMul(softmax(scores), values), [batchSize, heads * headSize]);
  }

  /** int32 [batchSize * columns]: the packed row that each column holds; columns of padding repeat the first row. */
  private promptRows(): Tensor1D {
    const rows: number[] = [];
    let rowStart = 0;
    this.lengths.forEach((length, sequence) => {
      for (let column = 0; column < this.columns; column++) {
        rows.push(rowStart + Math.max(0, column - this.starts[sequence]!));
      }
      rowStart += length;
    });
    return tensor1d(rows, 'int32');
  }

  /** [batchSize, 1, 1, columns], 0 where a sequence has a token, MASKED_SCORE before it. */
  private mask(): Tensor4D {
    const values = new Float32Array(this.starts.length * this.columns);
    this.starts.forEach((start, sequence) => {
      values.fill(MASKED_SCORE, sequence * this.columns, sequence * this.columns + start);
    });
    return tensor4d(values, [this.starts.length, 1, 1, this.columns]);
  }
}

function keysAndValues(
  qkv: Tensor2D,
  batchSize: number,
  columns: number,
  options: AttentionOptions,
): [keys: Tensor4D, values: Tensor4D] {
  const { heads, headSize, keyValueHeads } = packed(qkv, options);
  const part = (firstHead: number): Tensor4D => {
    const size: [number, number] = [batchSize * columns, keyValueHeads * headSize];
    const rows = slice(qkv, [0, firstHead * headSize], size);
    return transpose<Tensor4D>(reshape(rows, [batchSize, columns, keyValueHeads, headSize]), [0, 2, 1, 3]);
  };
  return [part(heads), part(heads + keyValueHeads)];
}

/** Sizes of packed rows, as `attention` reads them. */
function packed(qkv: Tensor2D, { heads, keyValueHeads = heads }: AttentionOptions) {
  return { heads, keyValueHeads, headSize: qkv.shape[1] / (heads + 2 * keyValueHeads) };
}

function rememberLayer(keys: Tensor4D, values: Tensor4D): LayerCache {
  return { keys: keep(keys), values: keep(values) };
}

function disposeLayer({ keys, values }: LayerCache): void {
  keys.dispose();
  values.dispose();
}
