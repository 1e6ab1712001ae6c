import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { TokenBatch } from '@qlora-js/gpt2';
import { crossEntropy, Linear, type LinearLayer, Module, type ForwardContext } from '@qlora-js/kernels';
import type { LlamaConfig } from '../config/config';
import type { LlamaModel } from './backbone';

/** Llama with a linear head, without bias, on the last token that is not padding. */
export class LlamaForSequenceClassification extends Module {
  readonly config: LlamaConfig;

  constructor(
    readonly model: LlamaModel,
    /** [numLabels, hiddenSize] */
    score: Tensor2D,
  ) {
    super();
    this.config = model.config;
    this.setChild('model', model);
    this.setChild('score', new Linear(score));
  }

  get numLabels(): number {
    return (this.child('score') as LinearLayer).outFeatures;
  }

  /** The decoder under the head. */
  get backbone(): LlamaModel {
    return this.model;
  }

  /** Logits of the pooled tokens, [batchSize, numLabels]. */
  forward(batch: TokenBatch, context: ForwardContext): Tensor2D {
    const pooled = this.model.forwardPooled(batch, context);
    return (this.child('score') as LinearLayer).forward(pooled, context);
  }

  /** Mean cross-entropy of the batch and the logits it came from; labels int32 [batchSize]. */
  loss(batch: TokenBatch, labels: Tensor1D, context: ForwardContext): { loss: Scalar; logits: Tensor2D } {
    const logits = this.forward(batch, context);
    return { loss: crossEntropy(logits, labels), logits };
  }
}
