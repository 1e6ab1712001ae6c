import type { Tensor } from '@tensorflow/tfjs-core';

export interface EmbeddingInputs extends Record<string, Tensor | undefined> {
  ids: Tensor;
  positions: Tensor;
  tokenTable: Tensor;
  positionTable: Tensor;
}
