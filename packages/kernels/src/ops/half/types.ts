import type { Tensor } from '@tensorflow/tfjs-core';

export interface PackHalfInputs extends Record<string, Tensor | undefined> {
  /** float32 of any shape */
  x: Tensor;
}

export interface UnpackHalfInputs extends Record<string, Tensor | undefined> {
  /** int32, two float16 a word, the first in the low half */
  halves: Tensor;
}

export interface UnpackHalfAttributes {
  readonly shape: readonly number[];
}

/** Words that `size` float16 take. */
export const wordsOf = (size: number): number => Math.ceil(size / 2);
