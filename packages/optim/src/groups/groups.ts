import type { Variable } from '@tensorflow/tfjs-core';

/** A trained variable under its name in the model. */
export interface NamedVariable {
  readonly name: string;
  readonly variable: Variable;
}

/** Parameters that share a weight decay and a learning-rate ratio. */
export interface ParameterGroup {
  readonly parameters: readonly NamedVariable[];
  /** Default: the optimiser's. */
  readonly weightDecay?: number;
  /** What the step's learning rate is multiplied by; LoRA+ gives B another than A. Default 1. */
  readonly learningRateScale?: number;
}

/** transformers' Trainer.get_decay_parameter_names: biases and norms, GPT-2's ln_1, ln_2 and ln_f by their type there. */
const NO_DECAY = /bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)|(?:^|\.)ln_(?:1|2|f)\./i;

export function isExcludedFromDecay(name: string): boolean {
  return NO_DECAY.test(name);
}

/** Two groups, always: parameters that decay, and those that do not. */
export function decayGroups(
  parameters: readonly NamedVariable[],
  weightDecay: number,
  isExcluded: (name: string) => boolean = isExcludedFromDecay,
): ParameterGroup[] {
  return [
    { parameters: parameters.filter(({ name }) => !isExcluded(name)), weightDecay },
    { parameters: parameters.filter(({ name }) => isExcluded(name)), weightDecay: 0 },
  ];
}
