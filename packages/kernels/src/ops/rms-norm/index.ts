import { clone, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { differentiable } from '../../engine/gradient';
import { defineOp } from '../../engine/op';
import { composeRmsNorm } from './compose';
import { rmsNormBranchGradient, rmsNormGradient } from './gradient';
import type { RmsNormAttributes, RmsNormBranchOutputs, RmsNormInputs, RmsNormOutputs } from './types';
import { wasmRmsNorm } from './wasm';
import { webgpuRmsNorm } from './webgpu';

const run = defineOp<RmsNormInputs, RmsNormAttributes, RmsNormOutputs>({
  name: 'QRmsNorm',
  compose: composeRmsNorm,
  wasm: wasmRmsNorm,
  webgpu: webgpuRmsNorm,
  gradient: rmsNormGradient,
});

const runBranch = differentiable<RmsNormInputs, RmsNormAttributes, RmsNormBranchOutputs>(
  (inputs, attributes) => ({ ...run(inputs, attributes), same: clone(inputs.x) }),
  rmsNormBranchGradient,
);

/**
 * Root mean square normalisation over the last axis: y = x / sqrt(mean(x²) + epsilon) * weight, as transformers'
 * LlamaRMSNorm (Zhang and Sennrich 2019, equation 4).
 *
 * @param x [rows, columns] float32
 * @param weight [columns]
 * @throws KernelError BAD_SHAPE, BAD_DTYPE
 */
export function rmsNorm(x: Tensor2D, weight: Tensor1D, epsilon = 1e-6): Tensor2D {
  check(x, weight);
  return run({ x, weight }, { epsilon }).y as Tensor2D;
}

/**
 * `rmsNorm` of x beside x itself, for a residual around what is normalised: whoever uses both gets the two gradients
 * by x in one sum that the norm's own backward pass makes.
 *
 * @returns the normalised rows, and x on the same data
 */
export function rmsNormBranch(x: Tensor2D, weight: Tensor1D, epsilon = 1e-6): [normalised: Tensor2D, x: Tensor2D] {
  check(x, weight);
  const { y, same } = runBranch({ x, weight }, { epsilon });
  return [y as Tensor2D, same as Tensor2D];
}

function check(x: Tensor2D, weight: Tensor1D): void {
  checkTensor('rmsNorm', 'x', x, 2, 'float32');
  checkShape('rmsNorm', 'weight', weight, [x.shape[1]]);
}
