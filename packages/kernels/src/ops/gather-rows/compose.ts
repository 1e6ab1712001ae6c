import { gather, reshape, scatterND, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import type { GatherRowsAttributes, GatherRowsInputs, ScatterRowsInputs } from './types';

export function composeGatherRows({ x, rows }: GatherRowsInputs): Tensor {
  return gather(x, rows as Tensor1D);
}

/** Adds each row of dy [B, C] to row `rows[b]` of a zero matrix [rowCount, C]. */
export function composeScatterRows({ dy, rows }: ScatterRowsInputs, { rowCount }: GatherRowsAttributes): Tensor {
  const [count = 0, columns = 0] = dy.shape;
  return scatterND(reshape(rows, [count, 1]), dy, [rowCount, columns]);
}
