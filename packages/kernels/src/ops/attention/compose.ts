import {
  add,
  concat,
  div,
  exp,
  log,
  matMul,
  max,
  mul,
  reshape,
  slice,
  sub,
  sum,
  tensor3d,
  tile,
  transpose,
  zeros,
  type Tensor,
  type Tensor3D,
} from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { DropoutStream, dropoutNumbers } from '../../random/dropout-stream';
import { attends, readSequences, type Sequence } from './sequences';
import {
  headSizeOf,
  NO_KEYS_LSE,
  type AttentionAttributes,
  type AttentionBackwardInputs,
  type AttentionInputs,
  type AttentionOutputs,
} from './types';

/** Large enough that exp of it is 0 beside any score, small enough that adding a score keeps it finite. */
const MASKED_SCORE = -1e30;

/**
 * What both passes compute with on one sequence of n rows: q, k, v [heads, n, size], those of shared heads repeated, and
 * masks as tensors.
 */
interface Block {
  readonly sequence: Sequence;
  readonly q: Tensor3D;
  readonly k: Tensor3D;
  readonly v: Tensor3D;
  /** 0 where query i attends to key j, MASKED_SCORE elsewhere [1, n, n]. */
  readonly mask: Tensor3D;
  /** 1 for rows that attend to some key, 0 for others [1, n, 1]. */
  readonly hasKeys: Tensor3D;
  /** Dropout's factor, 0 or 1 / (1 - rate), [heads, n, n]; absent without dropout. */
  readonly factor: Tensor3D | undefined;
}

/** Rows [rowStart, rowStart + n) of `columns` columns of a matrix, from column `first` on, by head. */
function byHead(
  matrix: Tensor,
  { rowStart, rowCount }: Sequence,
  heads: number,
  first: number,
  columns: number,
): Tensor3D {
  const rows = slice(matrix, [rowStart, first], [rowCount, columns]);
  return transpose(reshape(rows, [rowCount, heads, columns / heads]), [1, 0, 2]);
}

/** [shared, n, size] to [heads, n, size]: each block as often as heads share it. */
function repeated(blocks: Tensor3D, heads: number): Tensor3D {
  const [shared, rows, size] = blocks.shape;
  if (shared === heads) return blocks;
  return reshape(tile(reshape(blocks, [shared, 1, rows, size]), [1, heads / shared, 1, 1]), [heads, rows, size]);
}

/** The gradient by what `repeated` was given. */
function summed(blocks: Tensor, shared: number): Tensor {
  const [heads = 0, rows = 0, size = 0] = blocks.shape;
  return shared === heads ? blocks : sum(reshape(blocks, [shared, heads / shared, rows, size]), 1);
}

/** The way back: [heads, n, size] to [n, heads * size]. */
function byRow(blocks: Tensor): Tensor {
  const [heads = 0, rows = 0, size = 0] = blocks.shape;
  return reshape(transpose(blocks, [1, 0, 2]), [rows, heads * size]);
}

function dropoutFactor(
  sequence: Sequence,
  random: Tensor | undefined,
  attributes: AttentionAttributes,
): Tensor3D | undefined {
  const { heads, keyStride, rate, site } = attributes;
  if (random === undefined) return undefined;
  const { rowStart, rowCount } = sequence;
  const { threshold, keepScale } = dropoutNumbers(rate);
  const stream = new DropoutStream(hostValues(random), site, threshold);
  const factor = new Float32Array(heads * rowCount * rowCount);
  for (let i = 0; i < rowCount; i++) {
    for (let h = 0; h < heads; h++) {
      for (let j = 0; j <= i; j++) {
        if (stream.keeps(rowStart + i, h * keyStride + j)) factor[(h * rowCount + i) * rowCount + j] = keepScale;
      }
    }
  }
  return tensor3d(factor, [heads, rowCount, rowCount]);
}

function openBlock({ qkv, random }: AttentionInputs, sequence: Sequence, attributes: AttentionAttributes): Block {
  const { heads, keyValueHeads } = attributes;
  const headSize = headSizeOf(qkv.shape[1]!, attributes);
  const [columns, shared] = [heads * headSize, keyValueHeads * headSize];
  const n = sequence.rowCount;
  const mask = new Float32Array(n * n).fill(MASKED_SCORE);
  const hasKeys = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (!attends(sequence, i, j)) continue;
      mask[i * n + j] = 0;
      hasKeys[i] = 1;
    }
  }
  return {
    sequence,
    q: byHead(qkv, sequence, heads, 0, columns),
    k: repeated(byHead(qkv, sequence, keyValueHeads, columns, shared), heads),
    v: repeated(byHead(qkv, sequence, keyValueHeads, columns + shared, shared), heads),
    mask: tensor3d(mask, [1, n, n]),
    hasKeys: tensor3d(hasKeys, [1, n, 1]),
    factor: dropoutFactor(sequence, random, attributes),
  };
}

function scores({ q, k, mask }: Block, scale: number): Tensor3D {
  return add(mul(matMul(q, k, false, true), scale), mask);
}

const dropped = ({ factor }: Block, probabilities: Tensor): Tensor =>
  factor === undefined ? probabilities : mul(probabilities, factor);

/** Stacks the parts of each sequence; rows of no sequence are `elsewhere`. */
function stackRows(sequences: Sequence[], parts: Tensor[], rows: number, columns: number, elsewhere: number): Tensor {
  const pieces: Tensor[] = [];
  let row = 0;
  const fillTo = (end: number) => {
    if (end > row) pieces.push(add(zeros([end - row, columns]), elsewhere));
    row = end;
  };
  sequences.forEach(({ rowStart, rowCount }, s) => {
    fillTo(rowStart);
    pieces.push(parts[s]!);
    row += rowCount;
  });
  fillTo(rows);
  return pieces.length === 0 ? zeros([rows, columns]) : concat(pieces, 0);
}

function openSequences({ qkv, sequences }: AttentionInputs, { keyStride }: AttentionAttributes): Sequence[] {
  return readSequences(hostValues(sequences), qkv.shape[0], keyStride).filter(({ rowCount }) => rowCount > 0);
}

/** Returns y [M, C] and the log-sums [M, heads]; one dense score matrix a sequence at a time. */
export function composeAttention(inputs: AttentionInputs, attributes: AttentionAttributes): AttentionOutputs {
  const { heads, scale } = attributes;
  const [rows = 0, width = 0] = inputs.qkv.shape;
  const columns = heads * headSizeOf(width, attributes);
  const sequences = openSequences(inputs, attributes);
  const results = sequences.map((sequence) => {
    const block = openBlock(inputs, sequence, attributes);
    const score = scores(block, scale);
    const largest = max(score, -1, true);
    const weight = exp(sub(score, largest));
    const total = sum(weight, -1, true);
    const y = mul(matMul(dropped(block, div(weight, total)), block.v), block.hasKeys);
    // MASKED_SCORE takes every score of a row without keys to itself, and the row's log-sum to the opposite.
    const lse = add(add(largest, log(total)), mul(sub(1, block.hasKeys), NO_KEYS_LSE - MASKED_SCORE));
    return { y: byRow(y), lse: byRow(lse) };
  });
  return {
    y: stackRows(
      sequences,
      results.map(({ y }) => y),
      rows,
      columns,
      0,
    ),
    lse: stackRows(
      sequences,
      results.map(({ lse }) => lse),
      rows,
      heads,
      NO_KEYS_LSE,
    ),
  };
}

/** Returns the gradient by qkv. */
export function composeAttentionBackward(inputs: AttentionBackwardInputs, attributes: AttentionAttributes): Tensor {
  const { heads, keyValueHeads, scale } = attributes;
  const { dy, y, lse } = inputs;
  const [rows = 0, width = 0] = inputs.qkv.shape;
  const columns = heads * headSizeOf(width, attributes);
  const sequences = openSequences(inputs, attributes);
  const parts = sequences.map((sequence) => {
    const block = openBlock(inputs, sequence, attributes);
    const dOut = byHead(dy, sequence, heads, 0, columns);
    const out = byHead(y, sequence, heads, 0, columns);
    const probabilities = exp(sub(scores(block, scale), byHead(lse, sequence, heads, 0, heads)));
    const dProbabilities = dropped(block, matMul(dOut, block.v, false, true));
    const dScores = mul(probabilities, sub(dProbabilities, sum(mul(dOut, out), -1, true)));
    const dq = mul(matMul(dScores, block.k), scale);
    const dk = mul(matMul(dScores, block.q, true, false), scale);
    const dv = matMul(dropped(block, probabilities), dOut, true, false);
    return concat([byRow(dq), byRow(summed(dk, keyValueHeads)), byRow(summed(dv, keyValueHeads))], 1);
  });
  return stackRows(sequences, parts, rows, width, 0);
}
