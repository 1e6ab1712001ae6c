import {
  abs,
  add,
  customGrad,
  exp,
  log,
  mean,
  mul,
  neg,
  relu,
  reshape,
  sigmoid,
  square,
  sub,
  type GradSaveFunc,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import type { Task } from '@qlora-js/data';
import { crossEntropy } from '@qlora-js/kernels';

/** A head's loss by transformers' problem_type (loss/loss_utils.py, ForSequenceClassificationLoss): the mean over rows and labels. */
export const PROBLEM_LOSSES: Readonly<Record<Task, (logits: Tensor2D, labels: Tensor) => Scalar>> = {
  single_label_classification: (logits, labels) => crossEntropy(logits, labels as Tensor1D),
  multi_label_classification: (logits, labels) => binaryCrossEntropyWithLogits(logits, labels),
  regression: (logits, labels) => mean<Scalar>(square(sub(logits, reshape(labels, logits.shape)))),
};

/**
 * Mean over all elements of -(w y log s(x) + (1 - y) log(1 - s(x))), as torch.nn.BCEWithLogitsLoss(pos_weight).
 *
 * @param logits x, [batchSize, numLabels]
 * @param labels y, the same shape, 0 to 1
 * @param positiveWeights w, [numLabels] or one for all; default 1
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor2D,
  labels: Tensor,
  positiveWeights: Tensor | number = 1,
): Scalar {
  // 1 + (w - 1) y: what log(1 + exp(-x)) counts by once both terms are written with it.
  const weights = add(mul(labels, sub(positiveWeights, 1)), 1);
  // A gradient of its own: that of relu and abs is 0 at logits of exactly 0, which new heads may give.
  const losses = customGrad((given, save) => {
    const logit = given as Tensor;
    (save as GradSaveFunc)([logit, labels, weights]);
    const softplusOfMinus = add(relu(neg(logit)), log(add(exp(neg(abs(logit))), 1)));
    return {
      value: add(mul(sub(1, labels), logit), mul(weights, softplusOfMinus)),
      gradFunc: (dy: Tensor, [x, y, w]: Tensor[]) => mul(dy, sub(sub(1, y!), mul(w!, sigmoid(neg(x!))))),
    };
  });
  return mean<Scalar>(losses(logits));
}
