import { add, div, logSoftmax, mean, mul, neg, oneHot, sum, type Scalar, type Tensor2D } from '@tensorflow/tfjs-core';
import type { ForwardContext } from '@qlora-js/kernels';
import { TrainerError } from '../errors';
import type { TrainableModel, UploadedBatch } from './trainable-model';

/**
 * A loss of one's own: the mean over the batch's rows, a scalar that gradients flow through, out of tfjs ops or those of
 * @qlora-js/kernels. It may be recorded as a part of a plan, so it depends on its arguments alone.
 */
export type ComputeLoss<Batch extends UploadedBatch = UploadedBatch> = (
  output: { readonly logits: Tensor2D; readonly loss: Scalar },
  batch: Batch,
) => Scalar;

/** A model whose loss is computed from its logits by `computeLoss`, in training and in evaluations; for replicas too. */
export function withLoss<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  computeLoss: ComputeLoss<Batch>,
): TrainableModel<Batch> {
  return {
    ...model,
    loss: (batch: Batch, context: ForwardContext) => {
      const output = model.loss(batch, context);
      return { ...output, loss: computeLoss(output, batch) };
    },
  };
}

/**
 * Cross-entropy against labels of which a part goes to all classes alike (transformers, trainer_pt_utils.py LabelSmoother).
 *
 * @param factor 0 to 1
 */
export function smoothedCrossEntropy(factor: number): ComputeLoss {
  return ({ logits, loss }) => {
    const uniform = neg(mean(mean(logSoftmax(logits), -1)));
    return add<Scalar>(mul(loss, 1 - factor), mul(uniform, factor));
  };
}

/**
 * Cross-entropy in which a row counts by its class's weight, as torch.nn.CrossEntropyLoss(weight).
 *
 * @param weights one a class, positive
 * @throws TrainerError BAD_ARGUMENT
 */
export function weightedCrossEntropy(weights: readonly number[]): ComputeLoss {
  const wrong = weights.find((weight) => !(weight > 0 && Number.isFinite(weight)));
  if (weights.length === 0 || wrong !== undefined) {
    throw new TrainerError(
      'BAD_ARGUMENT',
      `class weights are positive numbers, one a class, but there is ${wrong ?? 'none'}`,
      {
        value: wrong,
      },
    );
  }
  return ({ logits }, { labels }) => {
    if (logits.shape[1] !== weights.length) {
      throw new TrainerError(
        'BAD_ARGUMENT',
        `there are ${weights.length} class weights for ${logits.shape[1]} classes`,
      );
    }
    const counted = mul(oneHot(labels, weights.length), [...weights]);
    return div<Scalar>(neg(sum(mul(counted, logSoftmax(logits)))), sum(counted));
  };
}
