import { expandDims, matMul, mul, sum, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { defineOp } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import { activate } from '../activation';
import { composeDequantize4bit } from '../../four-bit/compose';
import type { Packed4bitInputs } from '../../four-bit/types';
import { packHalf } from '../half';
import { toHalves } from './halves';
import { applyKeepBits, drawKeepBits, keepBitsTensor } from './keep-bits';
import type { InnerAttributes, InnerInputs } from './types';
import { webgpuInner } from './webgpu-inner';

function compose(inputs: InnerInputs, attributes: InnerAttributes): Tensor[] {
  const { x, factor, random } = inputs;
  const { activation, factorTransposed, scale, dropout, writes, half, weight } = attributes;
  const bits = keepBitsTensor(dropout.rate > 0 ? drawKeepBits(x.size, random, dropout) : new Int32Array(1));
  const activated = activate(x, activation);
  const dropped = dropout.rate > 0 ? applyKeepBits(activated, bits, dropoutNumbers(dropout.rate).keepScale) : activated;
  const product = matMul(dropped as Tensor2D, factor as Tensor2D, false, !factorTransposed);
  const inner = expandDims(scale === 1 ? product : mul(product, scale), 0);
  const results = [inner, bits];
  const written = writes === 'activated' ? activated : dropped;
  if (writes !== 'nothing') results.push(half ? toHalves(written, factorTransposed) : written);
  if (weight !== undefined) {
    results.push(packHalf(composeDequantize4bit(inputs as unknown as Packed4bitInputs, weight)[0]!));
  }
  return results;
}

/**
 * scale · dropout(activation(x)) · factorᵀ in parts [parts, M, r] whose sum it is, and the dropout's keep bits, int32
 * [M K / 32] (one unread word without dropout, and where the dropped values themselves are written): drawing them again
 * on the way back costs more than keeping a bit an element. Then what `writes` and `half` say, [M, K] or [M, K / 2], and
 * with `weight` W in float16, int32 [N K / 2].
 */
export const loraInner = defineOp<InnerInputs, InnerAttributes>({
  name: 'QLoraInner',
  compose,
  webgpu: webgpuInner,
});

/** Inner values [M, r] from their parts. */
export const sumOfParts = (inner: Tensor): Tensor2D => sum(inner, 0);
