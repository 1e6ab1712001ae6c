import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { checkIndices } from '../../engine/indices';
import { composeCrossEntropy } from './compose';
import { crossEntropyGradient } from './gradient';
import type { CrossEntropyAttributes, CrossEntropyInputs, CrossEntropyOptions, CrossEntropyOutputs } from './types';
import { wasmCrossEntropy } from './wasm';
import { webgpuCrossEntropy } from './webgpu';

export type { CrossEntropyOptions } from './types';

const run = defineOp<CrossEntropyInputs, CrossEntropyAttributes, CrossEntropyOutputs>({
  name: 'QCrossEntropy',
  compose: composeCrossEntropy,
  wasm: wasmCrossEntropy,
  webgpu: webgpuCrossEntropy,
  gradient: crossEntropyGradient,
});

/**
 * Softmax cross-entropy against class indices, as torch.nn.functional.cross_entropy: the mean (or sum) over rows of
 * log(sum(exp(logits))) - logits[label]. A mean over no counted row is NaN, as there.
 *
 * @param logits [B, K] float32
 * @param labels [B] int32 in [0, K), or ignoreIndex
 * @throws KernelError BAD_ARGUMENT for a label out of range where the host has it; on webgpu, where it may not, the
 *   loss comes out as NaN
 */
export function crossEntropy(logits: Tensor2D, labels: Tensor1D, options: CrossEntropyOptions = {}): Scalar {
  const { reduction = 'mean', ignoreIndex = -100 } = options;
  checkTensor('crossEntropy', 'logits', logits, 2, 'float32');
  checkTensor('crossEntropy', 'labels', labels, 1, 'int32');
  checkShape('crossEntropy', 'labels', labels, [logits.shape[0]]);
  if (reduction !== 'mean' && reduction !== 'sum') {
    throw new KernelError('BAD_ARGUMENT', `crossEntropy: reduction '${String(reduction)}' is neither 'mean' nor 'sum'`);
  }
  if (!Number.isInteger(ignoreIndex)) {
    throw new KernelError('BAD_ARGUMENT', `crossEntropy: ignoreIndex ${ignoreIndex} is not an integer`);
  }
  checkIndices('crossEntropy', 'labels', labels, logits.shape[1], ignoreIndex);
  return run({ logits, labels }, { reduction, ignoreIndex }).loss as Scalar;
}
