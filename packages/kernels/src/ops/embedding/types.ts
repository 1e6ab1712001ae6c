import type { Tensor } from '@tensorflow/tfjs-core';

export interface EmbeddingInputs extends Record<string, Tensor | undefined> {
  ids: Tensor;
  positions: Tensor;
  /** float32 [V, C], or int32 [V, C / 2] with two float16 a word */
  tokenTable: Tensor;
  positionTable: Tensor;
}
