import { mul, reshape, type Rank, type Tensor } from '@tensorflow/tfjs-core';
import { SLOPE_SCALE } from '../../webgpu/subgroup-matrix';
import { packHalf, unpackHalf } from '../half';

/** Rows in float16 as the passes hand them on, int32 [M, width / 2]: gradients times SLOPE_SCALE. */
export function toHalves(x: Tensor, isGradient: boolean): Tensor {
  const [rows = 0, width = 0] = x.shape;
  return reshape(packHalf(isGradient ? mul(x, SLOPE_SCALE) : x), [rows, width / 2]);
}

/** The rows of `toHalves`; float32 ones as they are. */
export function fromHalves(x: Tensor, isGradient: boolean): Tensor {
  if (x.dtype !== 'int32') return x;
  const [rows = 0, words = 0] = x.shape;
  const values = unpackHalf(reshape<Rank.R1>(x, [x.size]), [rows, 2 * words]);
  return isGradient ? mul(values, 1 / SLOPE_SCALE) : values;
}
