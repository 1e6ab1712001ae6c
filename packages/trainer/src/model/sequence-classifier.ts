import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { tokenBatch, type GPT2ForSequenceClassification, type TokenBatch } from '@qlora-js/gpt2';
import { adapterFiles, loadAdapter, type PeftModel } from '@qlora-js/lora';
import type { NamedVariable } from '@qlora-js/optim';
import { TrainerError } from '../errors';
import type { TrainableModel, UploadedBatch } from './trainable-model';

export interface ClassificationBatch extends UploadedBatch {
  readonly tokens: TokenBatch;
}

/** A GPT-2 classifier with adapters as the trainer sees it. */
export function sequenceClassifier(
  model: PeftModel<GPT2ForSequenceClassification>,
  { padTokenId }: { readonly padTokenId: number },
): TrainableModel<ClassificationBatch> {
  const { base } = model;
  const { nPositions, vocabSize } = base.config;
  return {
    numLabels: base.numLabels,
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
      base.transformer.gradientCheckpointing = enabled;
    },
    upload: (batch: CollatedBatch) => {
      const tokens = tokenBatch(batch, { padTokenId, nPositions, vocabSize });
      const labels: Tensor1D = tensor1d(batch.labels, 'int32');
      return {
        tokens,
        labels,
        batchSize: batch.batchSize,
        dispose: () => {
          tokens.dispose();
          labels.dispose();
        },
      };
    },
    loss: ({ tokens, labels }, context) => base.loss(tokens, labels, context),
    files: () => adapterFiles(model, activeAdapter(model)),
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
