import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';

/**
 * Optimisers by transformers' names (training_args.py OptimizerNames). `adamw_8bit` and `adamw_bnb_8bit` are one, and so
 * are `paged_adamw` and `paged_adamw_32bit`.
 */
export const OPTIMIZER_NAMES = [
  'adamw_torch',
  'adamw_8bit',
  'adamw_bnb_8bit',
  'paged_adamw_8bit',
  'paged_adamw_32bit',
  'paged_adamw',
] as const;

export type OptimizerName = (typeof OPTIMIZER_NAMES)[number];

export interface StepOptions {
  /** Or a float32 [1] on the device. */
  readonly learningRate: number | Tensor1D;
  /** From `clipGradients`; default: gradients as they are. */
  readonly control?: Tensor1D;
}

/** One state of a parameter on the host: moments in float32 or as 8-bit codes, absmax in float32. */
export type StateArray = Float32Array | Uint8Array;

/** States by parameter name, and the number of steps: enough to go on bit for bit. */
export interface OptimizerStateDict {
  readonly name: OptimizerName;
  /** Steps that were applied: those that `control` left out do not count. */
  readonly steps: number;
  /** `m` and `v`; with 8-bit moments also `mAbsmax` and `vAbsmax`. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, StateArray>>>>;
}

export interface OptimizerMemory {
  /** States on the device. */
  readonly deviceBytes: number;
  /** States paged out to the host. */
  readonly hostBytes: number;
  /** Parameters whose states came back to the device, all steps together. */
  readonly pageIns: number;
  readonly pageOuts: number;
}

export interface Optimizer {
  readonly name: OptimizerName;
  /** Calls of `step`, and those before a loaded state; steps that `control` left out are among them. */
  readonly steps: number;
  /**
   * Updates every parameter of the groups; the gradients stay the caller's. Nothing is read back but states that a
   * paged optimiser has no room for.
   */
  step(gradients: ReadonlyMap<string, Tensor>, options: StepOptions): Promise<void>;
  /**
   * The same at once, so that it can be part of a recorded plan: on webgpu all parameters with 8-bit moments in one dispatch,
   * where their gradients come `together`.
   *
   * @throws OptimError BAD_ARGUMENT for a paged optimiser with a finite `deviceMemoryBudget`
   */
  stepSync(gradients: ReadonlyMap<string, Tensor>, options: StepOptions): void;
  stateDict(): Promise<OptimizerStateDict>;
  /** Checks everything before the first state changes. */
  loadStateDict(state: OptimizerStateDict): void;
  memory(): OptimizerMemory;
  dispose(): void;
}
