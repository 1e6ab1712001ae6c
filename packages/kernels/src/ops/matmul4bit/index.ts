import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp, type Op } from '../../engine/op';
import { takeApart } from '../../four-bit/check';
import { composeMatmul4bit } from './compose';
import { matmul4bitGradient, NESTED_WEIGHT_INPUTS, WEIGHT_INPUTS } from './gradient';
import { type Matmul4bitOptions } from './types';
import { type Weight4bit } from '../../four-bit/types';
import { productSizes, type Matmul4bitAttributes, type Matmul4bitInputs } from '../../products/types';
import { wasmMatmul4bit } from './wasm';
import { webgpuMatmul4bit } from '../../products/four-bit-product';

export { NESTED_WEIGHT_INPUTS, WEIGHT_INPUTS } from './gradient';
export type { Matmul4bitOptions } from './types';
export type { Weight4bit } from '../../four-bit/types';

type Product = Op<Matmul4bitInputs, Matmul4bitAttributes>;

const kernels = { compose: composeMatmul4bit, wasm: wasmMatmul4bit, webgpu: webgpuMatmul4bit };

const runFlat: Product = defineOp<Matmul4bitInputs, Matmul4bitAttributes>({
  name: 'QMatmul4bit',
  ...kernels,
  gradient: matmul4bitGradient((inputs, attributes) => runFlat(inputs, attributes), WEIGHT_INPUTS),
});

const runNested: Product = defineOp<Matmul4bitInputs, Matmul4bitAttributes>({
  name: 'QMatmul4bitNested',
  ...kernels,
  gradient: matmul4bitGradient((inputs, attributes) => runNested(inputs, attributes), NESTED_WEIGHT_INPUTS),
});

/** The op behind `matmul4bit`, for ops that have its inputs at hand. */
export function product4bit(inputs: Matmul4bitInputs, attributes: Matmul4bitAttributes): Tensor {
  return (inputs.nestedAbsmax === undefined ? runFlat : runNested)(inputs, attributes)[0]!;
}

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
  weight: Weight4bit,
  { bias, transposed = false }: Matmul4bitOptions = {},
): Tensor2D {
  checkTensor('matmul4bit', 'x', x, 2, 'float32');
  const { inputs, attributes } = takeApart('matmul4bit', weight);
  const matmulAttributes: Matmul4bitAttributes = { ...attributes, shape: weight.shape, transposed };
  const { columns, depth } = productSizes(matmulAttributes);
  checkShape('matmul4bit', 'x', x, [undefined, depth]);
  if (bias !== undefined) checkShape('matmul4bit', 'bias', bias, [columns]);
  return product4bit({ ...inputs, x, bias }, matmulAttributes) as Tensor2D;
}
