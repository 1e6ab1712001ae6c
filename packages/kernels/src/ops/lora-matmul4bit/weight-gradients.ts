import { matMul, mul, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { defineOp } from '../../engine/op';
import { activate } from '../activation';
import { fromHalves } from './halves';
import { sumOfParts } from './inner';
import { applyKeepBits } from './keep-bits';
import type { WeightGradientAttributes, WeightGradientInputs } from './types';
import { webgpuWeightGradients } from './webgpu-weight-gradients';

function compose(
  { x, dy, inner, dInner, keepBits }: WeightGradientInputs,
  { activation, scaling, keepScale }: WeightGradientAttributes,
): Tensor[] {
  const taken = activate(x, activation);
  const dropped = keepBits === undefined ? taken : applyKeepBits(taken, keepBits, keepScale);
  return [
    matMul(sumOfParts(dInner), dropped as Tensor2D, true, false),
    mul(matMul(fromHalves(dy, true) as Tensor2D, sumOfParts(inner), true, false), scaling),
  ];
}

/** Gradients of both of LoRA's weights: dInnerᵀ · dropout(activation(x)) [r, K] and scaling · dyᵀ · inner [N, r]. */
export const loraWeightGradients = defineOp<WeightGradientInputs, WeightGradientAttributes>({
  name: 'QLoraWeightGradients',
  compose,
  webgpu: webgpuWeightGradients,
});
