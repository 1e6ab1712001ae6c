import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';

export interface DropoutOptions {
  /** Probability of dropping an element, in [0, 1). */
  readonly rate: number;
  /** int32 [4] from `randomState`: seed low, seed high, step, micro-batch. */
  readonly random: Tensor1D;
  /** Number of this dropout within the model; two places with one number would draw equal masks. */
  readonly site: number;
}

export interface DropoutInputs extends Record<string, Tensor | undefined> {
  x: Tensor;
  random: Tensor;
}

export interface DropoutAddInputs extends DropoutInputs {
  residual: Tensor;
}

export interface DropoutAttributes {
  readonly rate: number;
  readonly site: number;
}
