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

/** A parameter to update, with its states in the order of the rule's specs, or all in one. */
export interface RuleEntry {
  readonly parameter: Variable;
  readonly gradient: Tensor;
  readonly states: readonly Variable[];
  readonly attributes: AdamwAttributes;
}

/** How parameters are updated and what they keep from step to step. */
export interface UpdateRule {
  /** The states of a parameter lie one after the other in one int32 variable, those in float32 as their bits. */
  readonly inOne: boolean;
  /** States of a parameter, zero at the start. */
  states(parameter: Variable): readonly StateSpec[];
  /** One step of each. */
  update(entries: readonly RuleEntry[], step: StepValues): void;
  dispose(): void;
}
