import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { composeLayerNorm } from './compose';
import { layerNormGradient } from './gradient';
import type { LayerNormAttributes, LayerNormInputs } from './types';
import { wasmLayerNorm } from './wasm';
import { webgpuLayerNorm } from './webgpu';

const run = defineOp<LayerNormInputs, LayerNormAttributes>({
  name: 'QLayerNorm',
  compose: composeLayerNorm,
  wasm: wasmLayerNorm,
  webgpu: webgpuLayerNorm,
  gradient: layerNormGradient,
});

/**
 * Layer normalisation over the last axis: y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the
 * biased variance, as torch.nn.LayerNorm (Ba et al. 2016, section 3).
 *
 * @param x [rows, columns] float32
 * @param gamma [columns]
 * @param beta [columns]
 */
export function layerNorm(x: Tensor2D, gamma: Tensor1D, beta: Tensor1D, epsilon = 1e-5): Tensor2D {
  checkTensor('layerNorm', 'x', x, 2, 'float32');
  checkShape('layerNorm', 'gamma', gamma, [x.shape[1]]);
  checkShape('layerNorm', 'beta', beta, [x.shape[1]]);
  return run({ x, gamma, beta }, { epsilon })[0] as Tensor2D;
}
