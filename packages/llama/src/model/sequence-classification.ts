import type { Tensor2D } from '@tensorflow/tfjs-core';
import { SequenceClassification } from '@qlora-js/gpt2';
import type { LlamaModel } from './backbone';

/** Llama with a linear head, without bias, on the last token that is not padding. */
export class LlamaForSequenceClassification extends SequenceClassification<LlamaModel> {
  /** @param score [numLabels, hiddenSize] */
  constructor(transformer: LlamaModel, score: Tensor2D) {
    super(transformer, 'model', score);
  }
}
