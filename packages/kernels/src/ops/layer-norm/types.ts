import type { Tensor } from '@tensorflow/tfjs-core';

export interface LayerNormInputs extends Record<string, Tensor | undefined> {
  x: Tensor;
  gamma: Tensor;
  beta: Tensor;
}

export interface LayerNormAttributes {
  readonly epsilon: number;
}

export interface LayerNormOutputs {
  /** [rows, columns] */
  y: Tensor;
  /** [rows] */
  mean: Tensor;
  /** 1 / sqrt(variance + epsilon) [rows] */
  reciprocalStd: Tensor;
}

export interface LayerNormBranchOutputs extends LayerNormOutputs {
  /** x itself. */
  same: Tensor;
}

export interface LayerNormParameterGradients {
  gamma: Tensor;
  beta: Tensor;
}

export interface LayerNormBackwardInputs extends Record<string, Tensor | undefined> {
  dy: Tensor;
  x: Tensor;
  gamma: Tensor;
  mean: Tensor;
  reciprocalStd: Tensor;
  /** Added to the gradient by x. */
  residual?: Tensor | undefined;
}
