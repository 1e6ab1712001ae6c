import { add, mean, mul, reshape, rsqrt, square, squeeze, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import type { RmsNormAttributes, RmsNormBackwardInputs, RmsNormInputs, RmsNormOutputs } from './types';

export function composeRmsNorm({ x, weight }: RmsNormInputs, { epsilon }: RmsNormAttributes): RmsNormOutputs {
  const reciprocalRms = rsqrt(add(mean(square(x), -1, true), epsilon));
  return { y: mul(mul(x, reciprocalRms), weight), reciprocalRms: squeeze(reciprocalRms, [-1]) };
}

export function composeRmsNormBackward({ dy, x, weight, reciprocalRms, residual }: RmsNormBackwardInputs): Tensor {
  const [rows = 0, columns = 1] = x.shape;
  const scale = reshape(reciprocalRms, [rows, 1]);
  const normalised = mul(x, scale);
  const scaled = mul(dy, weight);
  const projected = mul(sum(mul(scaled, normalised), -1, true), 1 / columns);
  const dx = mul(sub(scaled, mul(normalised, projected)), scale);
  return residual === undefined ? dx : add(dx, residual);
}

export function composeRmsNormWeightGradient({ dy, x, reciprocalRms }: RmsNormBackwardInputs): Tensor {
  return sum(mul(dy, mul(x, reshape(reciprocalRms, [x.shape[0] ?? 0, 1]))), 0);
}
