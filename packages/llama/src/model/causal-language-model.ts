import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import {
  generate,
  IGNORED_LABEL,
  type GenerateOptions,
  type Generation,
  type Prompts,
  type TokenBatch,
} from '@qlora-js/gpt2';
import { crossEntropy, gemm, Linear, type LinearLayer, Module, type ForwardContext } from '@qlora-js/kernels';
import type { LlamaConfig } from '../config/config';
import type { LlamaModel } from './backbone';

/** Llama with a head that scores every token of the vocabulary; tied to the token embedding unless it has a weight. */
export class LlamaForCausalLM extends Module {
  readonly config: LlamaConfig;
  /** Whether the head is the token embedding. */
  readonly tied: boolean;

  /** @param lmHead [vocabSize, hiddenSize]; left out where the head is the token embedding */
  constructor(
    readonly model: LlamaModel,
    lmHead?: Tensor2D,
  ) {
    super();
    this.config = model.config;
    this.tied = lmHead === undefined;
    this.setChild('model', model);
    // A tied head has no parameter of its own: it would be counted, saved and disposed of twice.
    if (lmHead !== undefined) this.setChild('lm_head', new Linear(lmHead));
  }

  /** The decoder under the head. */
  get backbone(): LlamaModel {
    return this.model;
  }

  /** Logits of the token after each row, [rows, vocabSize]. */
  forward(batch: TokenBatch, context: ForwardContext): Tensor2D {
    return this.score(this.model.forward(batch, context), context);
  }

  /** The head on hidden states [rows, hiddenSize]. */
  score(hidden: Tensor2D, context: ForwardContext): Tensor2D {
    if (this.tied) return gemm(hidden, this.model.embedTokens.value as Tensor2D, { transposeB: true });
    return (this.child('lm_head') as LinearLayer).forward(hidden, context);
  }

  /** Mean cross-entropy of the next tokens; labels int32 [rows] as `nextTokenLabels` makes them, -100 left out. */
  loss(batch: TokenBatch, labels: Tensor1D, context: ForwardContext): { loss: Scalar; logits: Tensor2D } {
    const logits = this.forward(batch, context);
    return { loss: crossEntropy(logits, labels, { ignoreIndex: IGNORED_LABEL }), logits };
  }

  /** Continues prompts token by token; options and errors are those of gpt2's `generate`. */
  generate(prompts: Prompts, options: GenerateOptions = {}): Promise<Generation> {
    const { vocabSize, nPositions, eosTokenIds } = this.config;
    const language = {
      config: { vocabSize, nPositions, eosTokenId: null },
      transformer: this.model,
      score: (hidden: Tensor2D, context: ForwardContext) => this.score(hidden, context),
    };
    return generate(language, prompts, { eosTokenId: eosTokenIds, ...options });
  }
}
