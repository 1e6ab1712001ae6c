import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { composeClipControl, composeSumOfSquares } from './compose';
import type { ClipControlAttributes, ClipControlInputs, SumOfSquaresInputs } from './types';

const runSum = defineOp<SumOfSquaresInputs, object>({ name: 'QSumOfSquares', compose: composeSumOfSquares });

const runControl = defineOp<ClipControlInputs, ClipControlAttributes>({
  name: 'QClipControl',
  compose: composeClipControl,
});

/** Sum of the squares of every element of every tensor, float32 [1]. */
export function sumOfSquares(tensors: readonly Tensor[]): Tensor1D {
  if (tensors.length === 0) throw new KernelError('BAD_ARGUMENT', 'sumOfSquares: there are no tensors');
  const inputs = Object.fromEntries(tensors.map((tensor, index) => [String(index), tensor]));
  return runSum(inputs, {})[0] as Tensor1D;
}

export interface ClipControlOptions {
  /** Bound of the global norm; Infinity does not clip. */
  readonly maxNorm: number;
  /** What the loss was multiplied by, [1]; gradients are divided by it. */
  readonly lossScale?: Tensor1D;
}

/**
 * The global norm and what an optimiser makes of it, decided on the device: norm [1] = sqrt(sumSquares) / lossScale, and
 * control [2] = (gradientScale, apply), where gradientScale = min(1, maxNorm / (norm + 1e-6)) / lossScale
 * (torch.nn.utils.clip_grad_norm_) and apply is 0 where the norm is not finite, which leaves parameters and states be.
 */
export function clipControl(
  sumSquares: Tensor1D,
  { maxNorm, lossScale }: ClipControlOptions,
): { norm: Tensor1D; control: Tensor1D } {
  if (!(maxNorm > 0)) throw new KernelError('BAD_ARGUMENT', `clipControl: maxNorm ${maxNorm} is not positive`);
  const [norm, control] = runControl({ sumSquares, lossScale }, { maxNorm });
  return { norm: norm as Tensor1D, control: control as Tensor1D };
}
