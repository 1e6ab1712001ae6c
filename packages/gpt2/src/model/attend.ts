import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { attention, type AttentionOptions } from '@qlora-js/kernels';

/**
 * How rows attend to keys: within a batch's sequences, or to cached keys too.
 *
 * @param qkv [rows, 3 * nEmbd], what c_attn makes
 * @param layer index of the block that asks
 * @returns [rows, nEmbd]
 */
export type Attend = (qkv: Tensor2D, options: AttentionOptions, layer: number) => Tensor2D;

/** What the embeddings read. */
export interface TokenRows {
  /** int32 [rows] */
  readonly ids: Tensor1D;
  /** int32 [rows] */
  readonly positions: Tensor1D;
}

/** Each row attends to the rows before it in its own sequence. */
export function attendWithin(sequences: Tensor2D): Attend {
  return (qkv, options) => attention(qkv, sequences, options);
}
