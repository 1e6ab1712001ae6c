import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { checkIndices } from '../../engine/indices';
import { composeEmbedding } from './compose';
import { embeddingGradient } from './gradient';
import { columnsOf, type EmbeddingInputs } from './types';
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
  checkTokens('embedding', ids, tokenTable);
  checkTensor('embedding', 'positions', positions, 1, 'int32');
  checkTensor('embedding', 'positionTable', positionTable, 2, 'float32');
  checkShape('embedding', 'positions', positions, ids.shape);
  checkShape('embedding', 'positionTable', positionTable, [undefined, columnsOf(tokenTable)]);
  checkIndices('embedding', 'positions', positions, positionTable.shape[0]);
  return run({ ids, positions, tokenTable, positionTable }, {}) as Tensor2D;
}

/**
 * `embedding` of a model without a table of positions: y[m] = tokenTable[ids[m]].
 *
 * @param ids [M] int32 in [0, V)
 * @param tokenTable as `embedding` takes it
 * @throws KernelError as `embedding`
 */
export function tokenEmbedding(ids: Tensor1D, tokenTable: Tensor2D): Tensor2D {
  checkTokens('tokenEmbedding', ids, tokenTable);
  return run({ ids, tokenTable }, {}) as Tensor2D;
}

function checkTokens(op: string, ids: Tensor1D, tokenTable: Tensor2D): void {
  checkTensor(op, 'ids', ids, 1, 'int32');
  checkTensor(op, 'tokenTable', tokenTable, 2, tokenTable.dtype === 'int32' ? 'int32' : 'float32');
  checkIndices(op, 'ids', ids, tokenTable.shape[0]);
}
