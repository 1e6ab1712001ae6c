import type { Decoder } from '@qlora-js/gpt2';
import type { Module } from '@qlora-js/kernels';
import { adapterFiles, loadAdapter, type PeftModel } from '@qlora-js/lora';
import type { NamedVariable } from '@qlora-js/optim';
import { TrainerError } from '../errors';
import { fingerprintFrozen } from './fingerprint';
import type { TrainableModel } from './trainable-model';

/** A model with adapters on a decoder. */
export interface AdaptedBase extends Module {
  readonly transformer: Decoder;
}

/** The part of a `TrainableModel` that is the same whatever its head learns: what trains, and how it is saved. */
export type AdapterParts = Required<
  Pick<
    TrainableModel,
    | 'trainedVariables'
    | 'setGradientCheckpointing'
    | 'setActivationDtype'
    | 'files'
    | 'loadFiles'
    | 'flopsPerToken'
    | 'fingerprint'
  >
>;

/** @throws TrainerError BAD_ARGUMENT, from its functions, where no single adapter is active */
export function adapterParts<Base extends AdaptedBase>(model: PeftModel<Base>): AdapterParts {
  const { transformer } = model.base;
  return {
    trainedVariables: () => {
      const trained: NamedVariable[] = [];
      for (const [name, parameter] of model.namedParameters()) {
        if (parameter.requiresGrad) trained.push({ name, variable: parameter.variable });
      }
      if (trained.length === 0)
        throw new TrainerError('BAD_ARGUMENT', 'no parameter is trained: activate an adapter with setAdapter first');
      return trained;
    },
    setGradientCheckpointing: (enabled) => {
      transformer.gradientCheckpointing = enabled;
    },
    setActivationDtype: (dtype) => {
      transformer.activationDtype = dtype;
    },
    files: () => adapterFiles(model, activeAdapter(model)),
    // Embedding tables multiply nothing.
    flopsPerToken: 6 * (model.parameterCounts().all - transformer.embeddingSize),
    fingerprint: () => fingerprintFrozen(model),
    loadFiles: (source) => loadAdapter(model, source, activeAdapter(model)),
  };
}

function activeAdapter(model: PeftModel): string {
  const [name, ...others] = model.activeAdapters;
  if (name === undefined || others.length > 0) {
    throw new TrainerError(
      'BAD_ARGUMENT',
      `training needs one active adapter, but ${model.activeAdapters.length} are active`,
    );
  }
  return name;
}
