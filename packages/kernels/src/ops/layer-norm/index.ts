import { clone, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { differentiable } from '../../engine/gradient';
import { defineOp } from '../../engine/op';
import { composeLayerNorm } from './compose';
import { layerNormBranchGradient, layerNormGradient } from './gradient';
import type { LayerNormAttributes, LayerNormBranchOutputs, LayerNormInputs, LayerNormOutputs } from './types';
import { wasmLayerNorm } from './wasm';
import { webgpuLayerNorm } from './webgpu';

const run = defineOp<LayerNormInputs, LayerNormAttributes, LayerNormOutputs>({
  name: 'QLayerNorm',
  compose: composeLayerNorm,
  wasm: wasmLayerNorm,
  webgpu: webgpuLayerNorm,
  gradient: layerNormGradient,
});

const runBranch = differentiable<LayerNormInputs, LayerNormAttributes, LayerNormBranchOutputs>(
  (inputs, attributes) => ({ ...run(inputs, attributes), same: clone(inputs.x) }),
  layerNormBranchGradient,
);

/**
 * Layer normalisation over the last axis: y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the
 * biased variance, as torch.nn.LayerNorm (Ba et al. 2016, section 3).
 *
 * @param x [rows, columns] float32
 * @param gamma [columns]
 * @param beta [columns]
 */
export function layerNorm(x: Tensor2D, gamma: Tensor1D, beta: Tensor1D, epsilon = 1e-5): Tensor2D {
  check(x, gamma, beta);
  return run({ x, gamma, beta }, { epsilon }).y as Tensor2D;
}

/**
 * `layerNorm` of x beside x itself, for a residual around what is normalised: whoever uses both gets the two gradients
 * by x in one sum that the norm's own backward pass makes.
 *
 * @returns the normalised rows, and x on the same data
 */
export function layerNormBranch(
  x: Tensor2D,
  gamma: Tensor1D,
  beta: Tensor1D,
  epsilon = 1e-5,
): [normalised: Tensor2D, x: Tensor2D] {
  check(x, gamma, beta);
  const { y, same } = runBranch({ x, gamma, beta }, { epsilon });
  return [y as Tensor2D, same as Tensor2D];
}

function check(x: Tensor2D, gamma: Tensor1D, beta: Tensor1D): void {
  checkTensor('layerNorm', 'x', x, 2, 'float32');
  checkShape('layerNorm', 'gamma', gamma, [x.shape[1]]);
  checkShape('layerNorm', 'beta', beta, [x.shape[1]]);
}
