import { expandDims, matMul, mul, sum, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { defineOp } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import { activate } from '../activation';
import { composeDequantize4bit } from '../../four-bit/compose';
import type { Packed4bitInputs } from '../../four-bit/types';
import { packHalf } from '../half';
import { toHalves } from './halves';
import { applyKeepBits, drawKeepBits, keepBitsTensor } from './keep-bits';
import type { InnerAttributes, InnerInputs, InnerOutputs } from './types';
import { webgpuInner } from './webgpu-inner';

function compose(inputs: InnerInputs, attributes: InnerAttributes): InnerOutputs {
  const { x, factor, random } = inputs;
  const { activation, factorTransposed, scale, dropout, writes, half, weight } = attributes;
  const bits = dropout.rate > 0 ? keepBitsTensor(drawKeepBits(x.shape, random!, dropout)) : undefined;
  const activated = activate(x, activation);
  const dropped =
    bits === undefined ? activated : applyKeepBits(activated, bits, dropoutNumbers(dropout.rate).keepScale);
  const product = matMul(dropped as Tensor2D, factor as Tensor2D, false, !factorTransposed);
  const written = writes === 'activated' ? activated : dropped;
  return {
    inner: expandDims(scale === 1 ? product : mul(product, scale), 0),
    keepBits: writes === 'dropped' ? undefined : bits,
    written: writes === 'nothing' ? undefined : half ? toHalves(written, factorTransposed) : written,
    halfWeight: weight === undefined ? undefined : packHalf(composeDequantize4bit(inputs as Packed4bitInputs, weight)),
  };
}

/** LoRA's first factor on the rows that a layer reads, and what else comes of reading them. */
export const loraInner = defineOp<InnerInputs, InnerAttributes, InnerOutputs>({
  name: 'QLoraInner',
  compose,
  webgpu: webgpuInner,
});

/** Inner values [M, r] from their parts. */
export const sumOfParts = (inner: Tensor): Tensor2D => sum(inner, 0);
