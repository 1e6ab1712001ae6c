import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { checkIndices } from '../../engine/indices';
import { composeEmbedding } from './compose';
import { embeddingGradient } from './gradient';
import type { EmbeddingInputs } from './types';
import { webgpuEmbedding } from './webgpu';

const run = defineOp<EmbeddingInputs, object>({
  name: 'QEmbedding',
  compose: composeEmbedding,
  webgpu: webgpuEmbedding,
  gradient: embeddingGradient,
});

/**
 * Token plus position embedding: y[m] = tokenTable[ids[m]] + positionTable[positions[m]]. Both tables are frozen: a
 * gradient asked for is an error that says so.
 *
 * @param ids [M] int32 in [0, V)
 * @param positions [M] int32 in [0, P)
 * @param tokenTable [V, C] float32, or [V, C / 2] int32 with two float16 a word, the first in the low half
 * @param positionTable [P, C] float32
 * @throws KernelError BAD_ARGUMENT for an id or position out of range where the host has it; on webgpu, where it may
 *   not, the row comes out as NaN
 */
export function embedding(ids: Tensor1D, positions: Tensor1D, tokenTable: Tensor2D, positionTable: Tensor2D): Tensor2D {
  checkTensor('embedding', 'ids', ids, 1, 'int32');
  checkTensor('embedding', 'positions', positions, 1, 'int32');
  const half = tokenTable.dtype === 'int32';
  checkTensor('embedding', 'tokenTable', tokenTable, 2, half ? 'int32' : 'float32');
  checkTensor('embedding', 'positionTable', positionTable, 2, 'float32');
  checkShape('embedding', 'positions', positions, ids.shape);
  checkShape('embedding', 'positionTable', positionTable, [undefined, tokenTable.shape[1] * (half ? 2 : 1)]);
  checkIndices('embedding', 'ids', ids, tokenTable.shape[0]);
  checkIndices('embedding', 'positions', positions, positionTable.shape[0]);
  return run({ ids, positions, tokenTable, positionTable }, {}) as Tensor2D;
}
