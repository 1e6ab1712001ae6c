import type { Tensor } from '@tensorflow/tfjs-core';

export interface GatherRowsInputs extends Record<string, Tensor | undefined> {
  x: Tensor;
  rows: Tensor;
}

export interface GatherRowsAttributes {
  /** Rows of x, which the backward pass needs to size its result. */
  readonly rowCount: number;
}

export interface ScatterRowsInputs extends Record<string, Tensor | undefined> {
  dy: Tensor;
  rows: Tensor;
}
