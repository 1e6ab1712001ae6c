import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';

export interface EmbeddingInputs extends Record<string, Tensor | undefined> {
  ids: Tensor;
  /** Absent where there is no position table. */
  positions?: Tensor;
  /** float32 [V, C], or int32 [V, C / 2] with two float16 a word */
  tokenTable: Tensor;
  positionTable?: Tensor;
}

/** Columns of a token table, of which an int32 word holds two. */
export const columnsOf = ({ shape, dtype }: TensorInfo): number => shape[1]! * (dtype === 'int32' ? 2 : 1);
