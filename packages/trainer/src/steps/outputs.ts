import { tidy } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { INFERENCE } from '@qlora-js/kernels';
import { uploadBatch, type TrainableModel, type UploadedBatch } from '../model/trainable-model';
import { flatten } from './flat';

/** What a batch comes to without gradients, on the host. */
export interface BatchOutput {
  readonly loss: number;
  /** [batchSize * numLabels]; none of a language model, whose vocabulary is wide. */
  readonly logits: Float32Array<ArrayBuffer>;
}

export function batchOutput<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  collated: CollatedBatch,
): BatchOutput {
  const batch = uploadBatch(model, collated);
  const output = tidy(() => {
    const { loss, logits } = model.loss(batch, INFERENCE);
    return { loss: loss.dataSync()[0]!, logits: flatten(model.task === 'causal_lm' ? [] : [logits]) };
  });
  batch.dispose();
  return output;
}
