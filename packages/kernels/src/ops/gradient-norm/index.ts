import { tensor1d, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { composeClipControl, composeSumOfSquares } from './compose';
import type { ClipControlAttributes, ClipControlInputs, ClipControlOutputs, SumOfSquaresInputs } from './types';
import { wasmSumOfSquares } from './wasm';
import { webgpuClipControl, webgpuSumOfSquares } from './webgpu';

const runSum = defineOp<SumOfSquaresInputs, object>({
  name: 'QSumOfSquares',
  compose: composeSumOfSquares,
  wasm: wasmSumOfSquares,
  webgpu: webgpuSumOfSquares,
});

const runControl = defineOp<ClipControlInputs, ClipControlAttributes, ClipControlOutputs>({
  name: 'QClipControl',
  compose: composeClipControl,
  webgpu: webgpuClipControl,
});

/**
 * Squares of every element of every tensor, summed in parts: float32 [parts], for `clipControl` to add up. One part in
 * float64 on cpu and wasm; on webgpu one for every 4,096 elements, in a dispatch for all tensors that lie `together`. The
 * same every time.
 */
export function sumOfSquares(tensors: readonly Tensor[]): Tensor1D {
  if (tensors.length === 0) throw new KernelError('BAD_ARGUMENT', 'sumOfSquares: there are no tensors');
  for (const [index, { dtype }] of tensors.entries()) {
    if (dtype !== 'float32') {
      throw new KernelError('BAD_DTYPE', `sumOfSquares: tensor ${index} has dtype ${dtype}, but float32 is needed`);
    }
  }
  const inputs = Object.fromEntries(tensors.map((tensor, index) => [String(index), tensor]));
  return runSum(inputs, {}) as Tensor1D;
}

export interface ClipControlOptions {
  /** Bound of the global norm; Infinity does not clip. */
  readonly maxNorm: number;
  /** What the loss was multiplied by, a number or float32 [1]; gradients are divided by it. */
  readonly lossScale?: Tensor1D | number;
}

/**
 * The global norm and what an optimiser makes of it, decided on the device: norm [1] = sqrt(sum of sumSquares) / lossScale, and
 * control [2] = (gradientScale, apply), where gradientScale = min(1, maxNorm / (norm + 1e-6)) / lossScale
 * (torch.nn.utils.clip_grad_norm_) and apply is 0 where the norm is not finite, which leaves parameters and states be.
 *
 * @param sumSquares float32 [parts], from `sumOfSquares`
 * @throws KernelError BAD_ARGUMENT, BAD_SHAPE
 */
export function clipControl(sumSquares: Tensor1D, { maxNorm, lossScale }: ClipControlOptions): ClipControlOutputs {
  if (!(maxNorm > 0)) throw new KernelError('BAD_ARGUMENT', `clipControl: maxNorm ${maxNorm} is not positive`);
  if (typeof lossScale === 'number' && !(lossScale > 0 && Number.isFinite(lossScale))) {
    throw new KernelError('BAD_ARGUMENT', `clipControl: lossScale ${lossScale} is not a positive number`);
  }
  checkTensor('clipControl', 'sumSquares', sumSquares, 1, 'float32');
  const scale = typeof lossScale === 'number' ? tensor1d([lossScale]) : lossScale;
  if (scale !== undefined) checkShape('clipControl', 'lossScale', scale, [1]);
  const result = runControl({ sumSquares, lossScale: scale }, { maxNorm });
  if (scale !== lossScale) scale?.dispose();
  return result;
}
