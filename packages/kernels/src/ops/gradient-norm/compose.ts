import { tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import {
  NORM_EPSILON,
  type ClipControlAttributes,
  type ClipControlInputs,
  type ClipControlOutputs,
  type SumOfSquaresInputs,
} from './types';

/** On the host, summed in float64: tfjs' own sum is in float32, in an order of each backend's. */
export function composeSumOfSquares(inputs: SumOfSquaresInputs): Tensor {
  let total = 0;
  for (const tensor of Object.values(inputs)) {
    for (const value of hostValues(tensor)) total += value * value;
  }
  return tensor1d([total]);
}

export function composeClipControl(
  { sumSquares, lossScale }: ClipControlInputs,
  { maxNorm }: ClipControlAttributes,
): ClipControlOutputs {
  const scale = lossScale === undefined ? 1 : hostValues(lossScale)[0]!;
  let squares = 0;
  for (const part of hostValues(sumSquares)) squares += part;
  const norm = Math.sqrt(squares) / scale;
  const finite = Number.isFinite(norm);
  const gradientScale = Math.min(1, maxNorm / (norm + NORM_EPSILON)) / scale;
  return { norm: tensor1d([norm]), control: tensor1d(finite ? [gradientScale, 1] : [0, 0]) };
}
