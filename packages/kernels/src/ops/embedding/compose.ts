import { add, gather, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import type { EmbeddingInputs } from './types';

export function composeEmbedding({ ids, positions, tokenTable, positionTable }: EmbeddingInputs): Tensor[] {
  return [add(gather(tokenTable, ids as Tensor1D), gather(positionTable, positions as Tensor1D))];
}
