import {
  add,
  cast,
  concat1d,
  div,
  isFinite as isFiniteTensor,
  minimum,
  mul,
  onesLike,
  reshape,
  sqrt,
  square,
  sum,
  where,
  zerosLike,
  type Tensor,
  type Tensor1D,
} from '@tensorflow/tfjs-core';
import type { ClipControlAttributes, ClipControlInputs, SumOfSquaresInputs } from './types';

export function composeSumOfSquares(inputs: SumOfSquaresInputs): Tensor[] {
  let total: Tensor | undefined;
  for (const tensor of Object.values(inputs)) {
    if (tensor === undefined) continue;
    const part = sum(square(tensor));
    total = total === undefined ? part : add(total, part);
  }
  return [reshape(total!, [1])];
}

export function composeClipControl(
  { sumSquares, lossScale }: ClipControlInputs,
  { maxNorm }: ClipControlAttributes,
): Tensor[] {
  const scaled = sqrt(sumSquares);
  const norm = lossScale === undefined ? scaled : div(scaled, lossScale);
  const finite = isFiniteTensor(norm);
  const clip = Number.isFinite(maxNorm) ? minimum(1, div(maxNorm, add(norm, 1e-6))) : onesLike(norm);
  const scale = lossScale === undefined ? clip : div(clip, lossScale);
  const safe = where(finite, scale, zerosLike(scale));
  return [mul(norm, 1), concat1d([safe as Tensor1D, cast(finite, 'float32') as Tensor1D])];
}
