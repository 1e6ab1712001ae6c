import { matMul, mul, type Tensor2D } from '@tensorflow/tfjs-core';
import { defineOp } from '../../engine/op';
import { activate } from '../activation';
import { fromHalves } from './halves';
import { sumOfParts } from './inner';
import { applyKeepBits } from './keep-bits';
import type { WeightGradientAttributes, WeightGradientInputs, WeightGradientOutputs } from './types';
import { webgpuWeightGradients } from './webgpu-weight-gradients';

function compose(
  { x, dy, inner, dInner, keepBits }: WeightGradientInputs,
  { activation, scaling, keepScale }: WeightGradientAttributes,
): WeightGradientOutputs {
  const taken = activate(x, activation);
  const dropped = keepBits === undefined ? taken : applyKeepBits(taken, keepBits, keepScale);
  return {
    a: matMul(sumOfParts(dInner), dropped as Tensor2D, true, false),
    b: mul(matMul(fromHalves(dy, true) as Tensor2D, sumOfParts(inner), true, false), scaling),
  };
}

/** Gradients of both of LoRA's weights: dInnerᵀ · dropout(activation(x)) [r, K] and scaling · dyᵀ · inner [N, r]. */
export const loraWeightGradients = defineOp<WeightGradientInputs, WeightGradientAttributes, WeightGradientOutputs>({
  name: 'QLoraWeightGradients',
  compose,
  webgpu: webgpuWeightGradients,
});
