import { engine, mul, reshape, type Rank, type Tensor } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { SLOPE_SCALE } from '../../webgpu/subgroup-matrix';
import { packHalf, unpackHalf } from '../half';
import type { Matmul4bitAttributes } from '../../products/types';
import { matrixVariant } from '../../products/matrix-product';
import { hasLoraMatrices } from './webgpu-matrices';

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

export interface HalfPlan {
  /** Whether the product takes x in float16: on subgroup matrices, where that is half the bytes and as exact. */
  readonly half: boolean;
  /** Whether the inner pass dequantises W for it. */
  readonly prepares: boolean;
}

/** Storage buffers of the inner pass beside what its own attributes ask for: x, factor, inner. */
const INNER_BUFFERS = 3;

/** How the backend at hand shares the work of a product and of the inner pass before it. */
export function halfPlan(
  sizes: { readonly rows: number; readonly rank: number },
  product: Matmul4bitAttributes,
  { rate, keeps }: { readonly rate: number; readonly keeps: boolean },
): HalfPlan {
  if (engine().backendName !== 'webgpu') return { half: false, prepares: false };
  const backend = engine().backend as unknown as WebGPUBackend;
  const variant = hasLoraMatrices(backend.device)
    ? matrixVariant(backend, { ...sizes, halves: true }, product)
    : undefined;
  // What is written and, under dropout, the random state and what is kept of it; W, its codes, their table and scales.
  const own = INNER_BUFFERS + 1 + (rate > 0 ? 1 : 0) + (rate > 0 && keeps ? 1 : 0);
  const weight = 3 + (product.nestedBlocksize > 0 ? 4 : 1);
  const fits = own + weight <= backend.device.limits.maxStorageBuffersPerShaderStage;
  return { half: variant !== undefined, prepares: variant?.halfWeight === true && fits };
}
