import { engine } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { weightBufferCount } from '../../four-bit/wgsl';
import { matrixVariant } from '../../products/matrix-product';
import type { Matmul4bitAttributes } from '../../products/types';
import { hasLoraMatrices } from './webgpu-matrices';

/** How a product and the inner pass before it share the work. */
export interface Passes {
  /** Whether the product takes x in float16: on subgroup matrices, where that is half the bytes and as exact. */
  readonly half: boolean;
  /** Whether the inner pass dequantises W for it. */
  readonly prepares: boolean;
}

/** Storage buffers of the inner pass beside what its own attributes ask for: x, factor, inner. */
const INNER_BUFFERS = 3;

/** What suits the device at hand; no kernel and no `compose` asks for it, each does what its attributes say. */
export function choosePasses(
  sizes: { readonly rows: number; readonly rank: number },
  product: Matmul4bitAttributes,
  { rate, keeps }: { readonly rate: number; readonly keeps: boolean },
): Passes {
  if (engine().backendName !== 'webgpu') return { half: false, prepares: false };
  const backend = engine().backend as unknown as WebGPUBackend;
  const variant = hasLoraMatrices(backend.device)
    ? matrixVariant(backend, { ...sizes, halves: true }, product)
    : undefined;
  // What is written and, under dropout, the random state and what is kept of it; W in float16 and what it is read from.
  const own = INNER_BUFFERS + 1 + (rate > 0 ? 1 : 0) + (rate > 0 && keeps ? 1 : 0);
  const weight = 1 + weightBufferCount(product.nestedBlocksize > 0);
  const fits = own + weight <= backend.device.limits.maxStorageBuffersPerShaderStage;
  return { half: variant !== undefined, prepares: variant?.halfWeight === true && fits };
}
