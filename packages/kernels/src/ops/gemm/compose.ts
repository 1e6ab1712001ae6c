import { add, matMul, mul, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import type { GemmInputs } from './types';
import type { GemmAttributes } from '../../products/types';

export function composeGemm({ a, b, bias }: GemmInputs, { transposeA, transposeB, alpha }: GemmAttributes): Tensor {
  const product = matMul(a as Tensor2D, b as Tensor2D, transposeA, transposeB);
  const scaled = alpha === 1 ? product : mul(product, alpha);
  return bias === undefined ? scaled : add(scaled, bias);
}
