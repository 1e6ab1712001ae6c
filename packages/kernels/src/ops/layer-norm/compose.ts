import { add, mean, mul, reshape, rsqrt, square, squeeze, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import type {
  LayerNormAttributes,
  LayerNormBackwardInputs,
  LayerNormInputs,
  LayerNormOutputs,
  LayerNormParameterGradients,
} from './types';

export function composeLayerNorm(
  { x, gamma, beta }: LayerNormInputs,
  { epsilon }: LayerNormAttributes,
): LayerNormOutputs {
  const average = mean(x, -1, true);
  const centred = sub(x, average);
  const reciprocalStd = rsqrt(add(mean(square(centred), -1, true), epsilon));
  const y = add(mul(mul(centred, reciprocalStd), gamma), beta);
  return { y, mean: squeeze(average, [-1]), reciprocalStd: squeeze(reciprocalStd, [-1]) };
}

export function composeLayerNormBackward({
  dy,
  x,
  gamma,
  mean: average,
  reciprocalStd,
  residual,
}: LayerNormBackwardInputs): Tensor {
  const [rows = 0, columns = 1] = x.shape;
  const scale = reshape(reciprocalStd, [rows, 1]);
  const normalised = mul(sub(x, reshape(average, [rows, 1])), scale);
  const scaled = mul(dy, gamma);
  const meanScaled = mul(sum(scaled, -1, true), 1 / columns);
  const meanProjected = mul(sum(mul(scaled, normalised), -1, true), 1 / columns);
  const dx = mul(sub(sub(scaled, meanScaled), mul(normalised, meanProjected)), scale);
  return residual === undefined ? dx : add(dx, residual);
}

export function composeLayerNormParameterGradients({
  dy,
  x,
  mean: average,
  reciprocalStd,
}: LayerNormBackwardInputs): LayerNormParameterGradients {
  const rows = x.shape[0] ?? 0;
  const normalised = mul(sub(x, reshape(average, [rows, 1])), reshape(reciprocalStd, [rows, 1]));
  return { gamma: sum(mul(dy, normalised), 0), beta: sum(dy, 0) };
}
