import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { GPT2Model } from './backbone';
import { CausalLanguageModel } from './language-model-head';

/** GPT-2 with a head that scores every token of the vocabulary; tied to the token embedding unless it has a weight. */
export class GPT2LMHeadModel extends CausalLanguageModel<GPT2Model> {
  /** @param lmHead [vocabSize, nEmbd]; left out where the head is the token embedding */
  constructor(transformer: GPT2Model, lmHead?: Tensor2D) {
    super(transformer, 'transformer', lmHead);
  }
}
