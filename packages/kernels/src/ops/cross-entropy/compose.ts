import {
  cast,
  div,
  exp,
  expandDims,
  greater,
  logSoftmax,
  maximum,
  mul,
  neg,
  notEqual,
  oneHot,
  scalar,
  sub,
  sum,
  where,
  zerosLike,
  type Tensor,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import type {
  CrossEntropyAttributes,
  CrossEntropyBackwardInputs,
  CrossEntropyInputs,
  CrossEntropyOutputs,
} from './types';

/** The one-hot rows of the labels, zero in ignored rows, and 1 or 0 a row for whether it counts. */
function targets(labels: Tensor, classes: number, ignoreIndex: number): { oneHotRows: Tensor; counted: Tensor } {
  const counted = cast(notEqual(labels, scalar(ignoreIndex, 'int32')), 'float32');
  const inRange = maximum(labels, scalar(0, 'int32'));
  const oneHotRows = cast(oneHot(cast(inRange, 'int32'), classes), 'float32');
  return { oneHotRows: mul(oneHotRows, expandDims(counted, 1)), counted };
}

export function composeCrossEntropy(
  { logits, labels }: CrossEntropyInputs,
  { reduction, ignoreIndex }: CrossEntropyAttributes,
): CrossEntropyOutputs {
  const { oneHotRows, counted } = targets(labels, logits.shape[1]!, ignoreIndex);
  const logProbabilities = logSoftmax(logits as Tensor2D);
  // Selected, not multiplied by 0 and 1: another class' log probability may be -infinity.
  const total = neg(sum(where(greater(oneHotRows, 0), logProbabilities, zerosLike(logProbabilities))));
  return { loss: reduction === 'mean' ? div(total, sum(counted)) : total, probabilities: exp(logProbabilities) };
}

export function composeCrossEntropyBackward(
  { dy, probabilities, labels }: CrossEntropyBackwardInputs,
  { reduction, ignoreIndex }: CrossEntropyAttributes,
): Tensor {
  const { oneHotRows, counted } = targets(labels, probabilities.shape[1]!, ignoreIndex);
  const difference = sub(mul(probabilities, expandDims(counted, 1)), oneHotRows);
  return mul(difference, reduction === 'mean' ? div(dy, sum(counted)) : dy);
}
