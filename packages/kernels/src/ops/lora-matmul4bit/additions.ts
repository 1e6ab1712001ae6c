import { add, type Tensor2D } from '@tensorflow/tfjs-core';
import { activation } from '../activation';
import { dropout, dropoutAdd } from '../dropout';
import { gemm } from '../gemm';
import type { LinearAdditions } from './types';

/** A linear layer with additions, each in an op of its own: what a layer without a fused kernel does. */
export function forwardWithAdditions(
  x: Tensor2D,
  forward: (x: Tensor2D) => Tensor2D,
  { activation: name, ...additions }: LinearAdditions,
): Tensor2D {
  const taken = name === undefined ? x : activation(x, name);
  return addToProduct(taken, forward(taken), additions);
}

/** Adds to a product y = x·Wᵀ. */
function addToProduct(x: Tensor2D, y: Tensor2D, { lora, residual }: Omit<LinearAdditions, 'activation'>): Tensor2D {
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
