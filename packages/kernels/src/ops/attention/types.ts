import type { Tensor } from '@tensorflow/tfjs-core';
import type { DropoutOptions } from '../dropout';

export interface AttentionOptions {
  readonly heads: number;
  /** Heads of keys and values, each shared by heads / keyValueHeads queries' heads (Ainslie et al. 2023); `heads` by default. */
  readonly keyValueHeads?: number;
  /** What scores are multiplied by before the softmax: 1 / sqrt(head size) in GPT-2 unless its config says otherwise. */
  readonly scale: number;
  /** Dropout of the attention probabilities. */
  readonly dropout?: DropoutOptions;
  /** Keys a head is given in the numbering of a row's elements by dropout; at least the longest sequence. */
  readonly keyStride: number;
}

export interface AttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly scale: number;
  readonly keyStride: number;
  /** 0 without dropout. */
  readonly rate: number;
  readonly site: number;
}

export interface AttentionInputs extends Record<string, Tensor | undefined> {
  qkv: Tensor;
  sequences: Tensor;
  /** Of the dropout, where there is one. */
  random: Tensor | undefined;
}

export interface AttentionOutputs {
  /** [M, C] */
  y: Tensor;
  /** Log of the sum of exp(scores) by row and head [M, heads]. */
  lse: Tensor;
}

export interface AttentionBackwardInputs extends AttentionInputs, AttentionOutputs {
  dy: Tensor;
}

/** What a row that attends to no key has as its log-sum: exp(score - lse) is then 0 for every score. */
export const NO_KEYS_LSE = 1e30;

/** Columns of a head in packed rows. */
export const headSizeOf = (
  columns: number,
  { heads, keyValueHeads }: Pick<AttentionAttributes, 'heads' | 'keyValueHeads'>,
) => columns / (heads + 2 * keyValueHeads);
