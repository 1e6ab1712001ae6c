import type { Tensor } from '@tensorflow/tfjs-core';

export interface ConfusionInputs extends Record<string, Tensor | undefined> {
  counts: Tensor;
  logits: Tensor;
  labels: Tensor;
}

/** The new counts; nothing where they were updated in place. */
export type ConfusionOutputs = Partial<Record<'counts', Tensor>>;

/** Elements of the counts for so many classes: the matrix, and rows whose label is no class. */
export const confusionSize = (classes: number): number => classes ** 2 + 1;
