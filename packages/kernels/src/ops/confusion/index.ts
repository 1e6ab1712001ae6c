import type { Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { assignAll, ownData } from '../../tfjs/in-place';
import { composeConfusion } from './compose';
import { confusionSize, type ConfusionInputs, type ConfusionOutputs } from './types';
import { webgpuConfusion } from './webgpu';

export { confusionSize } from './types';

const run = defineOp<ConfusionInputs, object, ConfusionOutputs>({
  name: 'QConfusion',
  compose: composeConfusion,
  webgpu: webgpuConfusion,
});

/**
 * Counts rows by (label, argmax of the logits) on the device, the first of equal logits as torch.argmax. Works in place
 * on webgpu, so that a whole evaluation reads back one small matrix; may be part of a recorded plan.
 *
 * @param counts int32 [K * K + 1], changed: counts[label * K + predicted], then rows whose label is none of the K
 * @param logits [B, K] float32
 * @param labels [B] int32
 * @throws KernelError BAD_SHAPE, BAD_DTYPE
 */
export function addConfusion(counts: Variable, logits: Tensor2D, labels: Tensor1D): void {
  checkTensor('addConfusion', 'logits', logits, 2, 'float32');
  checkTensor('addConfusion', 'labels', labels, 1, 'int32');
  checkShape('addConfusion', 'labels', labels, [logits.shape[0]]);
  checkTensor('addConfusion', 'counts', counts, 1, 'int32');
  checkShape('addConfusion', 'counts', counts, [confusionSize(logits.shape[1])]);
  ownData([counts]);
  assignAll({ counts }, run({ counts, logits, labels }, {}));
}
