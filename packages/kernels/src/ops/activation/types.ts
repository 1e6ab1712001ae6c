import type { Tensor } from '@tensorflow/tfjs-core';
import type { ActivationKind } from '../../formats/activations';

export interface ActivationInputs extends Record<string, Tensor | undefined> {
  x: Tensor;
}

export interface ActivationAttributes {
  readonly kind: ActivationKind;
}

export interface ActivationBackwardInputs extends Record<string, Tensor | undefined> {
  dy: Tensor;
  x: Tensor;
}
