import type { Tensor } from '@tensorflow/tfjs-core';

/** New values of what is updated; nothing where that was done in place. */
export type LossScaleOutputs = Partial<Record<'scale' | 'counts', Tensor>>;

export interface LossScaleInputs extends Record<string, Tensor | undefined> {
  /** float32 [1] */
  scale: Tensor;
  /** float32 [2]: steps since the scale last changed, and steps that were left out */
  counts: Tensor;
  /** float32 [2] from `clipControl` */
  control: Tensor;
}

export interface LossScaleAttributes {
  readonly growthFactor: number;
  readonly backoffFactor: number;
  /** Steps in a row that were not left out before the scale grows. */
  readonly growthInterval: number;
}

export const LARGEST_FLOAT32 = 3.4028234663852886e38;
