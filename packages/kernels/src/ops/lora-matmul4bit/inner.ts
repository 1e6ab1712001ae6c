import { matMul, mul, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { defineOp } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import { applyKeepBits, drawKeepBits, keepBitsTensor } from './keep-bits';
import type { InnerAttributes, InnerInputs } from './types';
import { webgpuInner } from './webgpu-inner';

function compose({ x, factor, random }: InnerInputs, { factorTransposed, scale, dropout }: InnerAttributes): Tensor[] {
  const bits = keepBitsTensor(dropout.rate > 0 ? drawKeepBits(x.size, random, dropout) : new Int32Array(1));
  const dropped = dropout.rate > 0 ? applyKeepBits(x, bits, dropoutNumbers(dropout.rate).keepScale) : x;
  const product = matMul(dropped as Tensor2D, factor as Tensor2D, false, !factorTransposed);
  return [scale === 1 ? product : mul(product, scale), bits];
}

/**
 * scale · dropout(x) · factorᵀ [M, r], and the dropout's keep bits, int32 [M K / 32] (one unread word without
 * dropout): drawing them again on the way back costs more than keeping a bit an element.
 */
export const loraInner = defineOp<InnerInputs, InnerAttributes>({
  name: 'QLoraInner',
  compose,
  webgpu: webgpuInner,
});
