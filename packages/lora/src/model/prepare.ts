import type { Module } from '@qlora-js/kernels';

export interface KbitTrainingOptions {
  /** Default true, as PEFT's use_gradient_checkpointing. */
  readonly useGradientCheckpointing?: boolean;
}

/** A model whose activations can be recomputed instead of kept. */
interface Checkpointed {
  gradientCheckpointing: boolean;
}

/**
 * Makes a quantised model ready for adapters (peft/utils/other.py, prepare_model_for_kbit_training): everything is
 * frozen, and gradient checkpointing is set. Norms, biases and embeddings are float32 already.
 */
export function prepareModelForKbitTraining<Model extends Module>(
  model: Model,
  { useGradientCheckpointing = true }: KbitTrainingOptions = {},
): Model {
  for (const [, parameter] of model.namedParameters()) parameter.setRequiresGrad(false);
  for (const [, module] of model.namedModules()) {
    if (isCheckpointed(module)) module.gradientCheckpointing = useGradientCheckpointing;
  }
  return model;
}

function isCheckpointed(module: Module): module is Module & Checkpointed {
  return 'gradientCheckpointing' in module && typeof module.gradientCheckpointing === 'boolean';
}
