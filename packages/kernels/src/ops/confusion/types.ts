import type { Tensor } from '@tensorflow/tfjs-core';

export interface ConfusionInputs extends Record<string, Tensor | undefined> {
  counts: Tensor;
  logits: Tensor;
  labels: Tensor;
}

/** Elements of the counts for so many classes: the matrix, and rows whose label is no class. */
export const confusionSize = (classes: number): number => classes ** 2 + 1;
