import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { crossEntropy, Linear, type LinearLayer, Module, type ForwardContext } from '@qlora-js/kernels';
import type { TokenBatch } from '../batch/token-batch';
import { afterRows, type Decoder } from './decoder';

/** A decoder with a linear head, without bias, on the last token that is not padding. */
export class SequenceClassification<Backbone extends Decoder = Decoder> extends Module {
  /**
   * @param name the decoder's name in the tree
   * @param score [numLabels, width]
   */
  constructor(
    readonly transformer: Backbone,
    name: string,
    score: Tensor2D,
  ) {
    super();
    this.setChild(name, transformer);
    this.setChild('score', new Linear(score));
  }

  get config(): Backbone['config'] {
    return this.transformer.config;
  }

  get numLabels(): number {
    return (this.child('score') as LinearLayer).outFeatures;
  }

  /** Logits of the pooled tokens, [batchSize, numLabels]. */
  forward(batch: TokenBatch, context: ForwardContext): Tensor2D {
    const pooled = this.transformer.forwardPooled(batch, context);
    return (this.child('score') as LinearLayer).forward(pooled, afterRows(context, batch.pooledRows));
  }

  /** Mean cross-entropy of the batch and the logits it came from; labels int32 [batchSize]. */
  loss(batch: TokenBatch, labels: Tensor1D, context: ForwardContext): { loss: Scalar; logits: Tensor2D } {
    const logits = this.forward(batch, context);
    return { loss: crossEntropy(logits, labels), logits };
  }
}
