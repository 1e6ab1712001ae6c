import { add, type Tensor2D } from '@tensorflow/tfjs-core';
import { dropout, dropoutAdd } from '../dropout';
import { gemm } from '../gemm';
import type { LinearAdditions } from './types';

/** Adds to a product y = x·Wᵀ, each in an op of its own: what a layer without a fused kernel does. */
export function addToProduct(x: Tensor2D, y: Tensor2D, { lora, residual }: LinearAdditions): Tensor2D {
  let sum = y;
  if (lora !== undefined) {
    const dropped = lora.dropout === undefined ? x : dropout(x, lora.dropout);
    const inner = gemm(dropped, lora.a, { transposeB: true });
    sum = add(sum, gemm(inner, lora.b, { transposeB: true, alpha: lora.scaling }));
  }
  if (residual === undefined) return sum;
  return residual.dropout === undefined
    ? add(residual.tensor, sum)
    : dropoutAdd(sum, residual.tensor, residual.dropout);
}
