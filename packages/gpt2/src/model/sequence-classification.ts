import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { crossEntropy, Linear, type LinearLayer, Module, type ForwardContext } from '@qlora-js/kernels';
import type { TokenBatch } from '../batch/token-batch';
import type { Gpt2Config } from '../config/config';
import type { GPT2Model } from './backbone';

/** GPT-2 with a linear head, without bias, on the last token that is not padding. */
export class GPT2ForSequenceClassification extends Module {
  readonly config: Gpt2Config;

  constructor(
    readonly transformer: GPT2Model,
    /** [numLabels, nEmbd] */
    score: Tensor2D,
  ) {
    super();
    this.config = transformer.config;
    this.setChild('transformer', transformer);
    this.setChild('score', new Linear(score));
  }

  get numLabels(): number {
    return (this.child('score') as LinearLayer).outFeatures;
  }

  /** Logits of the pooled tokens, [batchSize, numLabels]. */
  forward(batch: TokenBatch, context: ForwardContext): Tensor2D {
    const pooled = this.transformer.forwardPooled(batch, context);
    return (this.child('score') as LinearLayer).forward(pooled, context);
  }

  /** Mean cross-entropy of the batch and the logits it came from; labels int32 [batchSize]. */
  loss(batch: TokenBatch, labels: Tensor1D, context: ForwardContext): { loss: Scalar; logits: Tensor2D } {
    const logits = this.forward(batch, context);
    return { loss: crossEntropy(logits, labels), logits };
  }
}
