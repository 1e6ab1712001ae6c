import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { checkIndices } from '../../engine/indices';
import { composeGatherRows } from './compose';
import { gatherRowsGradient } from './gradient';
import type { GatherRowsAttributes, GatherRowsInputs } from './types';
import { webgpuGatherRows } from './webgpu';

const run = defineOp<GatherRowsInputs, GatherRowsAttributes>({
  name: 'QGatherRows',
  compose: composeGatherRows,
  webgpu: webgpuGatherRows,
  gradient: gatherRowsGradient,
});

/**
 * Picks rows: y[b] = x[rows[b]]. The gradient adds each row back to its place; the order of addition is fixed, so a
 * row picked twice gives the same sum every time.
 *
 * @param x [M, C] float32
 * @param rows [B] int32 in [0, M); checked where the host has them, NaN from a bad one on webgpu
 */
export function gatherRows(x: Tensor2D, rows: Tensor1D): Tensor2D {
  checkTensor('gatherRows', 'x', x, 2, 'float32');
  checkTensor('gatherRows', 'rows', rows, 1, 'int32');
  const rowCount = x.shape[0];
  checkIndices('gatherRows', 'rows', rows, rowCount);
  return run({ x, rows }, { rowCount }) as Tensor2D;
}
