import { add, matMul, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { composeDequantize4bit } from '../../four-bit/compose';
import type { Matmul4bitAttributes, Matmul4bitInputs } from '../../products/types';

/** The dense weight lives as long as this product. */
export function composeMatmul4bit(inputs: Matmul4bitInputs, attributes: Matmul4bitAttributes): Tensor {
  const weight = composeDequantize4bit(inputs, attributes);
  const product = matMul(inputs.x as Tensor2D, weight as Tensor2D, false, !attributes.transposed);
  return inputs.bias === undefined ? product : add(product, inputs.bias);
}
