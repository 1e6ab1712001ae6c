import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { tokenBatchOf, type BatchLayout, type TokenBatch } from '@qlora-js/gpt2';
import type { HostInput } from './trainable-model';

/** Values as an int32 input, flat unless a shape is given. */
export function int32Input(values: ArrayLike<number>, shape: readonly number[] = [values.length]): HostInput {
  return { values: Int32Array.from(values), shape, dtype: 'int32' };
}

/** The inputs of a batch's tokens. */
export function tokenInputs({ ids, positions, sequences, pooledRows }: BatchLayout): Record<string, HostInput> {
  return {
    ids: int32Input(ids),
    positions: int32Input(positions),
    sequences: int32Input(sequences, [pooledRows.length, 4]),
    pooledRows: int32Input(pooledRows),
  };
}

/** The tokens on tensors of those names. */
export function tokensOf(tensors: Readonly<Record<string, Tensor>>): TokenBatch {
  return tokenBatchOf({
    ids: tensors['ids'] as Tensor1D,
    positions: tensors['positions'] as Tensor1D,
    sequences: tensors['sequences'] as Tensor2D,
    pooledRows: tensors['pooledRows'] as Tensor1D,
  });
}
