import type { Tensor } from '@tensorflow/tfjs-core';

export interface RmsNormInputs extends Record<string, Tensor | undefined> {
  x: Tensor;
  weight: Tensor;
}

export interface RmsNormOutputs {
  readonly y: Tensor;
  /** 1 / sqrt(mean(x²) + epsilon) [rows] */
  readonly reciprocalRms: Tensor;
}

export interface RmsNormBranchOutputs extends RmsNormOutputs {
  /** x itself */
  readonly same: Tensor;
}

export interface RmsNormAttributes {
  readonly epsilon: number;
}

export interface RmsNormBackwardInputs extends Record<string, Tensor | undefined> {
  dy: Tensor;
  x: Tensor;
  weight: Tensor;
  reciprocalRms: Tensor;
  /** Added to the gradient by x. */
  residual?: Tensor | undefined;
}
