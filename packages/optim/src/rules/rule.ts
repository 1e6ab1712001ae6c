import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { AdamwAttributes, StepValues } from '@qlora-js/kernels';

/** One state of a parameter, as it lies on the device. */
export interface StateSpec {
  readonly key: string;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  /** Set for bytes in int32: how many there are. */
  readonly bytes?: number;
}

/** How a parameter is updated and what it keeps from step to step. */
export interface UpdateRule {
  /** States of a parameter, zero at the start. */
  states(parameter: Variable): readonly StateSpec[];
  /** One step; `states` in the order of the specs. */
  update(
    parameter: Variable,
    gradient: Tensor,
    states: readonly Variable[],
    step: StepValues,
    attributes: AdamwAttributes,
  ): void;
  dispose(): void;
}
