import type { Tensor } from '@tensorflow/tfjs-core';
import type { CollatedBatch, Task } from '@qlora-js/data';
import { layoutRows, type SequenceClassification } from '@qlora-js/gpt2';
import type { PeftModel } from '@qlora-js/lora';
import { TrainerError } from '../errors';
import { adapterParts } from './adapter-model';
import { PROBLEM_LOSSES } from './problem-losses';
import { int32Input, tokenInputs, tokensOf, type TrainedTokens } from './token-inputs';
import type { BatchInputOptions, HostInput, TrainableModel, UploadedBatch } from './trainable-model';

export interface ClassificationBatch extends UploadedBatch {
  readonly texts: TrainedTokens;
}

/** What a head learns, and how texts are padded. */
export interface SequenceClassifierOptions {
  readonly padTokenId: number;
  /**
   * transformers' problem_type: one label a text by cross-entropy (default), several by binary cross-entropy, numbers by the
   * mean squared error.
   */
  readonly problemType?: Task;
}

/**
 * A decoder with a head on the last token and adapters as the trainer sees it.
 *
 * @throws TrainerError BAD_ARGUMENT where one label a text is to be chosen among fewer than two
 */
export function sequenceClassifier(
  model: PeftModel<SequenceClassification>,
  { padTokenId, problemType = 'single_label_classification' }: SequenceClassifierOptions,
): TrainableModel<ClassificationBatch> {
  const { base } = model;
  const { numLabels } = base;
  const { nPositions, vocabSize } = base.config;
  if (problemType === 'single_label_classification' && numLabels < 2) {
    throw new TrainerError('BAD_ARGUMENT', `there is ${numLabels} label, but one of at least 2 is to be chosen`, {
      value: numLabels,
      remedy: "load the model with more labels, or name problemType: 'regression'",
    });
  }
  return {
    ...adapterParts(model),
    task: problemType,
    numLabels,
    inputs: (batch: CollatedBatch, { rowMultiple = 1, random }: BatchInputOptions = {}) => {
      const layout = layoutRows(batch.rows, { padTokenId, nPositions, vocabSize, rowMultiple });
      return {
        ...tokenInputs(layout, random, layout.pooledRows),
        labels: labelInput(batch, problemType, numLabels),
      };
    },
    batchOf: (tensors) => {
      const texts = tokensOf(tensors);
      const labels: Tensor = tensors['labels']!;
      return {
        texts,
        labels,
        batchSize: texts.tokens.batchSize,
        dispose: () => {
          texts.dispose();
          labels.dispose();
        },
      };
    },
    loss: ({ texts, labels }, context) => {
      const logits = base.forward(texts.tokens, texts.contextOf(context));
      return { loss: PROBLEM_LOSSES[problemType](logits, labels), logits };
    },
  };
}

/** Ids as int32 [batchSize], everything else as float32 [batchSize, numLabels]. */
function labelInput({ labels, batchSize }: CollatedBatch, problemType: Task, numLabels: number): HostInput {
  const ids = problemType === 'single_label_classification';
  if (labels instanceof Int32Array !== ids) {
    throw new TrainerError(
      'BAD_ARGUMENT',
      `the batch's labels are ${ids ? 'not ids' : 'ids'}, but the model learns ${problemType}`,
      { remedy: `give the collator problemType: '${problemType}' too` },
    );
  }
  if (ids) return int32Input(labels);
  if (labels.length !== batchSize * numLabels) {
    throw new TrainerError(
      'BAD_ARGUMENT',
      `a row has ${labels.length / batchSize} values as its label, but the model's head has ${numLabels}`,
      { value: labels.length / batchSize },
    );
  }
  return { values: labels, shape: [batchSize, numLabels], dtype: 'float32' };
}
