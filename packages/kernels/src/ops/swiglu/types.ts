import type { Tensor } from '@tensorflow/tfjs-core';

export interface SwigluInputs extends Record<string, Tensor | undefined> {
  gate: Tensor;
  up: Tensor;
}

export interface SwigluGradients {
  readonly gate: Tensor;
  readonly up: Tensor;
}

export interface SwigluBackwardInputs extends SwigluInputs {
  dy: Tensor;
}
