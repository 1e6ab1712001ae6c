import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { IGNORED_LABEL, type CollatedBatch } from '@qlora-js/data';
import { layoutRows, nextTokenIds, type CausalLanguageModel } from '@qlora-js/gpt2';
import type { PeftModel } from '@qlora-js/lora';
import { TrainerError } from '../errors';
import { adapterParts } from './adapter-model';
import { int32Input, tokenInputs, tokensOf, type TrainedTokens } from './token-inputs';
import type { BatchInputOptions, TrainableModel, UploadedBatch } from './trainable-model';

export interface LanguageModelBatch extends UploadedBatch {
  readonly texts: TrainedTokens;
  /** int32: rows of the batch that have a token to predict. */
  readonly rows: Tensor1D;
}

/**
 * A decoder that predicts the next token, with adapters, as the trainer sees it: on batches of
 * `DataCollatorForLanguageModeling`. The loss is the mean over the tokens that are predicted, and only these are computed
 * past the last attention; padding is computed nowhere.
 */
export function causalLanguageModel(
  model: PeftModel<CausalLanguageModel>,
  { padTokenId }: { readonly padTokenId: number },
): TrainableModel<LanguageModelBatch> {
  const { base } = model;
  const { nPositions, vocabSize } = base.config;
  return {
    ...adapterParts(model),
    task: 'causal_lm',
    numLabels: vocabSize,
    lossItems: (batch) => predicted(batch).length,
    inputs: (batch: CollatedBatch, { rowMultiple = 1, random }: BatchInputOptions = {}) => {
      const counted = predicted(batch);
      const rows = counted.map(({ row }) => row);
      const labels = counted.map(({ label }) => label);
      while (rows.length % rowMultiple !== 0) {
        rows.push(0);
        labels.push(IGNORED_LABEL);
      }
      return {
        ...tokenInputs(layoutRows(batch.rows, { padTokenId, nPositions, vocabSize, rowMultiple }), random, rows),
        rows: int32Input(rows),
        labels: int32Input(labels),
      };
    },
    batchOf: (tensors) => {
      const texts = tokensOf(tensors);
      const rows = tensors['rows'] as Tensor1D;
      const labels: Tensor = tensors['labels']!;
      return {
        texts,
        rows,
        labels,
        batchSize: texts.tokens.batchSize,
        dispose: () => {
          texts.dispose();
          rows.dispose();
          labels.dispose();
        },
      };
    },
    loss: ({ texts, rows, labels }, context) =>
      base.lossAt(texts.tokens, { rows, labels: labels as Tensor1D }, texts.contextOf(context)),
  };
}

/** The rows that have a token to predict, without padding, and that token. */
function predicted(batch: CollatedBatch): { readonly row: number; readonly label: number }[] {
  const bare = batch.rows.findIndex(({ labels }) => labels === undefined);
  if (bare >= 0) {
    throw new TrainerError('BAD_ARGUMENT', `row ${bare} of a batch has no labels of its tokens`, {
      value: bare,
      remedy: 'make batches of a language model by DataCollatorForLanguageModeling',
    });
  }
  return nextTokenIds(batch.rows)
    .map((label, row) => ({ row, label }))
    .filter(({ label }) => label !== IGNORED_LABEL);
}
