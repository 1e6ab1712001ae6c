import {
  add,
  cast,
  div,
  logSoftmax,
  mean,
  mul,
  neg,
  notEqual,
  oneHot,
  sum,
  tensor1d,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { IGNORED_LABEL } from '@qlora-js/data';
import type { ForwardContext } from '@qlora-js/kernels';
import { TrainerError } from '../errors';
import { binaryCrossEntropyWithLogits } from './problem-losses';
import type { TrainableModel, UploadedBatch } from './trainable-model';

/**
 * A loss of one's own: the mean over the batch's rows (under a language model over the tokens that are predicted), a scalar that gradients flow through, out of tfjs ops or those of
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
 * Cross-entropy against labels of which a part goes to all classes alike (transformers, trainer_pt_utils.py LabelSmoother);
 * labels of -100 count for nothing.
 *
 * @param factor 0 to 1
 */
export function smoothedCrossEntropy(factor: number): ComputeLoss {
  return ({ logits, loss }, { labels }) => {
    const counted = cast(notEqual(labels, IGNORED_LABEL), 'float32');
    const uniform = div(neg(sum(mul(mean(logSoftmax(logits), -1), counted))), sum(counted));
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
  checkWeights(weights, 'class weights are positive numbers, one a class');
  return ({ logits }, { labels }) => {
    checkCount(weights, logits, 'class weights', 'classes');
    const counted = mul(oneHot(labels as Tensor1D, weights.length), [...weights]);
    return div<Scalar>(neg(sum(mul(counted, logSoftmax(logits)))), sum(counted));
  };
}

/**
 * Binary cross-entropy of several labels a row, in which a label that is set counts by its weight, as
 * torch.nn.BCEWithLogitsLoss(pos_weight): above 1 for labels that are rare.
 *
 * @param positiveWeights one a label, positive
 * @throws TrainerError BAD_ARGUMENT
 */
export function weightedBinaryCrossEntropy(positiveWeights: readonly number[]): ComputeLoss {
  checkWeights(positiveWeights, 'weights of labels that are set are positive numbers, one a label');
  return ({ logits }, { labels }) => {
    checkCount(positiveWeights, logits, 'weights', 'labels');
    return binaryCrossEntropyWithLogits(logits, labels, tensor1d([...positiveWeights]));
  };
}

function checkWeights(weights: readonly number[], rule: string): void {
  const wrong = weights.find((weight) => !(weight > 0 && Number.isFinite(weight)));
  if (weights.length > 0 && wrong === undefined) return;
  throw new TrainerError('BAD_ARGUMENT', `${rule}, but there is ${wrong ?? 'none'}`, { value: wrong });
}

function checkCount(weights: readonly number[], logits: Tensor2D, what: string, each: string): void {
  if (logits.shape[1] === weights.length) return;
  throw new TrainerError('BAD_ARGUMENT', `there are ${weights.length} ${what} for ${logits.shape[1]} ${each}`);
}
