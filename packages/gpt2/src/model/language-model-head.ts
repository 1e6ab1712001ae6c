import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { crossEntropy, gemm, Linear, type LinearLayer, Module, type ForwardContext } from '@qlora-js/kernels';
import { IGNORED_LABEL } from '../batch/next-token-labels';
import type { TokenBatch } from '../batch/token-batch';
import { generate, type GenerateOptions, type Generation, type Prompts } from '../generate/generate';
import { attendWithin } from './attend';
import { afterRows, type Decoder } from './decoder';

/** A decoder with a head that scores every token of the vocabulary; tied to the token embedding unless it has a weight. */
export class CausalLanguageModel<Backbone extends Decoder = Decoder> extends Module {
  /** Whether the head is the token embedding. */
  readonly tied: boolean;

  /**
   * @param name the decoder's name in the tree
   * @param lmHead [vocabSize, width]; left out where the head is the token embedding
   */
  constructor(
    readonly transformer: Backbone,
    name: string,
    lmHead?: Tensor2D,
  ) {
    super();
    this.tied = lmHead === undefined;
    this.setChild(name, transformer);
    // A tied head has no parameter of its own: it would be counted, saved and disposed of twice.
    if (lmHead !== undefined) this.setChild('lm_head', new Linear(lmHead));
  }

  get config(): Backbone['config'] {
    return this.transformer.config;
  }

  /** Logits of the token after each row, [rows, vocabSize]. */
  forward(batch: TokenBatch, context: ForwardContext): Tensor2D {
    return this.score(this.transformer.forward(batch, context), context);
  }

  /** The head on hidden states [rows, width]. */
  score(hidden: Tensor2D, context: ForwardContext): Tensor2D {
    if (this.tied) return gemm(hidden, this.transformer.tokenTable.value as Tensor2D, { transposeB: true });
    return (this.child('lm_head') as LinearLayer).forward(hidden, context);
  }

  /** Mean cross-entropy of the next tokens; labels int32 [rows] as `nextTokenLabels` makes them, -100 left out. */
  loss(batch: TokenBatch, labels: Tensor1D, context: ForwardContext): { loss: Scalar; logits: Tensor2D } {
    const logits = this.forward(batch, context);
    return { loss: crossEntropy(logits, labels, { ignoreIndex: IGNORED_LABEL }), logits };
  }

  /**
   * The same for some rows alone, which is all that the last block after its attention and the head then compute: of a
   * vocabulary's width a logit each, where prompts make most rows count for nothing.
   *
   * @param at rows int32 [counted] of the batch, and the token each is to predict, -100 left out
   */
  lossAt(
    batch: TokenBatch,
    { rows, labels }: { readonly rows: Tensor1D; readonly labels: Tensor1D },
    context: ForwardContext,
  ): { loss: Scalar; logits: Tensor2D } {
    const hidden = this.transformer.forwardRows(batch, { attend: attendWithin(batch.sequences), rows }, context);
    const logits = this.score(hidden, afterRows(context, rows));
    return { loss: crossEntropy(logits, labels, { ignoreIndex: IGNORED_LABEL }), logits };
  }

  /** Continues prompts token by token; see `GenerateOptions`. */
  generate(prompts: Prompts, options: GenerateOptions = {}): Promise<Generation> {
    return generate(this, prompts, options);
  }
}
