import {
  add,
  concat,
  gather,
  mul,
  neg,
  reshape,
  slice,
  type Rank,
  type Tensor,
  type Tensor3D,
} from '@tensorflow/tfjs-core';
import type { RotaryBackwardInputs, RotaryGradients, RotaryHeads, RotaryInputs } from './types';

/** Cosines and sines of the rows' angles, [rows, 1, headSize] each, both halves alike. */
function angles(table: Tensor, positions: Tensor): { cos: Tensor; sin: Tensor } {
  const [rows, headSize] = [positions.size, table.shape[1]!];
  const both = reshape(gather(table, positions as Tensor & { rank: 1 }), [rows, 1, headSize]);
  const doubled = (from: number): Tensor => {
    const part = slice(both, [0, 0, from], [rows, 1, headSize / 2]);
    return concat([part, part], 2);
  };
  return { cos: doubled(0), sin: doubled(headSize / 2) };
}

/** x [rows, heads, headSize] rotated by the angles. */
function rotate(x: Tensor3D, cos: Tensor, sin: Tensor): Tensor3D {
  const [rows, heads, headSize] = x.shape;
  const size: [number, number, number] = [rows, heads, headSize / 2];
  const [first, second] = [slice(x, [0, 0, 0], size), slice(x, [0, 0, headSize / 2], size)];
  return add(mul(x, cos), mul(concat([neg(second), first], 2), sin));
}

export function composeRotary({ q, k, v, positions, table }: RotaryInputs, heads: RotaryHeads): Tensor {
  const [rows = 0, headSize = 0] = [q.shape[0], table.shape[1]];
  const { cos, sin } = angles(table, positions);
  const rotated = (x: Tensor, count: number): Tensor =>
    reshape(rotate(reshape(x, [rows, count, headSize]), cos, sin), [rows, count * headSize]);
  return concat([rotated(q, heads.heads), rotated(k, heads.keyValueHeads), v], 1);
}

export function composeRotaryBackward(
  { dy, positions, table }: RotaryBackwardInputs,
  { heads, keyValueHeads }: RotaryHeads,
): RotaryGradients {
  const [rows = 0, headSize = 0] = [dy.shape[0], table.shape[1]];
  const { cos, sin } = angles(table, positions);
  const blocks = reshape(dy, [rows, heads + 2 * keyValueHeads, headSize]);
  const part = (first: number, count: number): Tensor3D =>
    slice<Rank.R3, Tensor3D>(blocks as Tensor3D, [0, first, 0], [rows, count, headSize]);
  const flat = (x: Tensor3D): Tensor => reshape(x, [rows, x.shape[1] * headSize]);
  return {
    q: flat(rotate(part(0, heads), cos, neg(sin))),
    k: flat(rotate(part(heads, keyValueHeads), cos, neg(sin))),
    v: flat(part(heads + keyValueHeads, keyValueHeads)),
  };
}
