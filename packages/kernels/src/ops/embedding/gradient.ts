import type { Tensor } from '@tensorflow/tfjs-core';
import type { OpGradient } from '../../engine/op';
import { KernelError } from '../../errors';
import type { EmbeddingInputs } from './types';

function frozen(table: string): () => Tensor {
  return () => {
    throw new KernelError(
      'BAD_ARGUMENT',
      `embedding: ${table} is frozen and has no gradient; train it through gatherRows, or keep it out of the trainable tensors`,
    );
  };
}

export const embeddingGradient: OpGradient<EmbeddingInputs, object> = {
  saves: {},
  backward: () => ({ tokenTable: frozen('tokenTable'), positionTable: frozen('positionTable') }),
};
