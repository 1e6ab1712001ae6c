import type { Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp, type Op } from '../../engine/op';
import { takeMatrixApart } from '../../four-bit/take-apart';
import { composeMatmul4bit } from './compose';
import { matmul4bitGradient } from './gradient';
import { type Matmul4bitOptions } from './types';
import type { QuantizedTensor } from '../../four-bit/types';
import { productSizes, type Matmul4bitAttributes, type Matmul4bitInputs } from '../../products/types';
import { wasmMatmul4bit } from './wasm';
import { webgpuMatmul4bit } from '../../products/four-bit-product';

export type { Matmul4bitOptions } from './types';

/** The op behind `matmul4bit`, for ops that have its inputs at hand. */
export const product4bit: Op<Matmul4bitInputs, Matmul4bitAttributes> = defineOp<Matmul4bitInputs, Matmul4bitAttributes>(
  {
    name: 'QMatmul4bit',
    compose: composeMatmul4bit,
    wasm: wasmMatmul4bit,
    webgpu: webgpuMatmul4bit,
    gradient: matmul4bitGradient((inputs, attributes) => product4bit(inputs, attributes)),
  },
);

/**
 * y = x·Wᵀ + bias with W in 4 bits, or x·W with `transposed`; QLoRA, equation 5, and bitsandbytes autograd/_functions.py
 * MatMul4Bit. Gradients flow to x and the bias, never to W, whose dense form never outlives the product.
 *
 * @param x [M, K] float32, or [M, N] with `transposed`
 * @param weight [N, K]
 * @returns [M, N], or [M, K]
 */
export function matmul4bit(
  x: Tensor2D,
  weight: QuantizedTensor,
  { bias, transposed = false }: Matmul4bitOptions = {},
): Tensor2D {
  checkTensor('matmul4bit', 'x', x, 2, 'float32');
  const { inputs, attributes } = takeMatrixApart('matmul4bit', weight);
  const matmulAttributes: Matmul4bitAttributes = { ...attributes, transposed };
  const { columns, depth } = productSizes(matmulAttributes);
  checkShape('matmul4bit', 'x', x, [undefined, depth]);
  if (bias !== undefined) checkShape('matmul4bit', 'bias', bias, [columns]);
  return product4bit({ ...inputs, x, bias }, matmulAttributes) as Tensor2D;
}
