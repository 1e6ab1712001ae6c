import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { layoutTokens, tokenBatchOf, type GPT2ForSequenceClassification, type TokenBatch } from '@qlora-js/gpt2';
import { adapterFiles, loadAdapter, type PeftModel } from '@qlora-js/lora';
import type { NamedVariable } from '@qlora-js/optim';
import { TrainerError } from '../errors';
import { fingerprintFrozen } from './fingerprint';
import type { BatchInputOptions, HostInput, TrainableModel, UploadedBatch } from './trainable-model';

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
    setActivationDtype: (dtype) => {
      base.transformer.activationDtype = dtype;
    },
    inputs: (batch: CollatedBatch, { rowMultiple = 1 }: BatchInputOptions = {}) => {
      const layout = layoutTokens(batch, { padTokenId, nPositions, vocabSize, rowMultiple });
      const int32 = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): HostInput => ({
        values: Int32Array.from(values),
        shape,
        dtype: 'int32',
      });
      return {
        ids: int32(layout.ids),
        positions: int32(layout.positions),
        sequences: int32(layout.sequences, [batch.batchSize, 4]),
        pooledRows: int32(layout.pooledRows),
        labels: int32(batch.labels),
      };
    },
    batchOf: (tensors) => {
      const tokens = tokenBatchOf({
        ids: tensors['ids'] as Tensor1D,
        positions: tensors['positions'] as Tensor1D,
        sequences: tensors['sequences'] as Tensor2D,
        pooledRows: tensors['pooledRows'] as Tensor1D,
      });
      const labels = tensors['labels'] as Tensor1D;
      return {
        tokens,
        labels,
        batchSize: labels.size,
        dispose: () => {
          tokens.dispose();
          labels.dispose();
        },
      };
    },
    loss: ({ tokens, labels }, context) => base.loss(tokens, labels, context),
    files: () => adapterFiles(model, activeAdapter(model)),
    flopsPerToken: 6 * (model.parameterCounts().all - embeddings(base)),
    fingerprint: () => fingerprintFrozen(model),
    loadFiles: (source) => loadAdapter(model, source, activeAdapter(model)),
  };
}

/** Weights of the embedding tables, which multiply nothing. */
function embeddings({ transformer }: GPT2ForSequenceClassification): number {
  return transformer.wte.logicalSize + transformer.wpe.logicalSize;
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
