import type { Tensor2D } from '@tensorflow/tfjs-core';
import { CausalLanguageModel } from '@qlora-js/gpt2';
import type { LlamaModel } from './backbone';

/** Llama with a head that scores every token of the vocabulary; tied to the token embedding unless it has a weight. */
export class LlamaForCausalLM extends CausalLanguageModel<LlamaModel> {
  /** @param lmHead [vocabSize, hiddenSize]; left out where the head is the token embedding */
  constructor(transformer: LlamaModel, lmHead?: Tensor2D) {
    super(transformer, 'model', lmHead);
  }
}
