import { add, matMul, mul, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { defineOp, type WebgpuKernel } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import { weightOf } from '../../four-bit/take-apart';
import type { ProductAdditions } from '../../products/additions';
import { activationBackward } from '../activation';
import { addSplits } from '../../products/split-sum';
import { product4bit } from '../matmul4bit';
import { plainMatmul4bit } from '../../products/four-bit-product';
import { matrixMatmul4bit, matrixVariant } from '../../products/matrix-product';
import { makeOutput } from '../../webgpu/dispatch';
import { productSizes } from '../../products/types';
import { fromHalves } from './halves';
import { sumOfParts } from './inner';
import { applyKeepBits, drawKeepBits, keepBitsTensor } from './keep-bits';
import type { ProductAttributes, ProductInputs } from './types';

function compose(inputs: ProductInputs, attributes: ProductAttributes): Tensor {
  const { inner, factor, keepBits, activated, residual, random } = inputs;
  const { scale, keepScale, slope, outputDropout, transposed } = attributes;
  const term = mul(matMul(sumOfParts(inner), factor as Tensor2D, false, !transposed), scale);
  const kept = keepBits === undefined ? term : applyKeepBits(term, keepBits, keepScale);
  const x = fromHalves(inputs.x, transposed);
  const base = product4bit({ ...weightOf(inputs), x, bias: inputs.bias }, attributes);
  const whole = add(base, kept);
  const sum = activated === undefined ? whole : activationBackward({ dy: whole, x: activated }, { kind: slope });
  if (outputDropout.rate === 0) return residual === undefined ? sum : add(residual, sum);
  const bits = keepBitsTensor(drawKeepBits(sum.shape, random!, outputDropout));
  const dropped = applyKeepBits(sum, bits, dropoutNumbers(outputDropout.rate).keepScale);
  return residual === undefined ? dropped : add(residual, dropped);
}

const webgpu: WebgpuKernel<ProductInputs, ProductAttributes> = (inputs, attributes, backend) => {
  const { x, inner, factor, keepBits, activated, residual, random, bias } = inputs;
  const { scale, keepScale, slope, outputDropout, transposed } = attributes;
  const additions: ProductAdditions = {
    bias,
    lora: {
      inner,
      factor,
      scale,
      ...(keepBits === undefined ? {} : { kept: { bits: keepBits, scale: keepScale } }),
    },
    ...(activated === undefined ? {} : { slope: { at: activated, kind: slope } }),
    residual,
    ...(outputDropout.rate === 0 ? {} : { dropout: { random: random!, ...outputDropout } }),
  };
  const rows = x.shape[0] ?? 0;
  const variant = matrixVariant(backend, { rows, rank: inner.shape[2] ?? 0, halves: x.dtype === 'int32' }, attributes);
  if (variant !== undefined) return matrixMatmul4bit(backend, inputs, attributes, variant, additions);
  const { columns } = productSizes(attributes);
  const partial = plainMatmul4bit(backend, inputs, attributes);
  const product = makeOutput(backend, [rows, columns]);
  addSplits(backend, { partial, product, additions, transposed });
  backend.disposeData(partial.dataId);
  return product;
};

/**
 * residual + dropout(slope · (x·Wᵀ + bias + keep(scale · inner · factorᵀ))), or with x·W and inner · factor where it
 * is transposed, slope being an activation's derivative: a 4-bit product and all that a layer with LoRA does to it, in
 * the pass that writes it.
 */
export const loraProduct = defineOp<ProductInputs, ProductAttributes>({ name: 'QLoraProduct', compose, webgpu });
