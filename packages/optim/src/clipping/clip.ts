import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { clipControl, sumOfSquares, type ClipControlOptions } from '@qlora-js/kernels';

/**
 * Global L2 norm over all gradients and the control tensor an optimiser takes to clip by it; the gradients themselves
 * stay as they are and nothing is read back.
 */
export function clipGradients(
  gradients: ReadonlyMap<string, Tensor>,
  options: ClipControlOptions,
): { norm: Tensor1D; control: Tensor1D } {
  const squares = sumOfSquares([...gradients.values()]);
  const result = clipControl(squares, options);
  squares.dispose();
  return result;
}
