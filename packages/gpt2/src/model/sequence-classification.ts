import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { GPT2Model } from './backbone';
import { SequenceClassification } from './classification-head';

/** GPT-2 with a linear head, without bias, on the last token that is not padding. */
export class GPT2ForSequenceClassification extends SequenceClassification<GPT2Model> {
  /** @param score [numLabels, nEmbd] */
  constructor(transformer: GPT2Model, score: Tensor2D) {
    super(transformer, 'transformer', score);
  }
}
