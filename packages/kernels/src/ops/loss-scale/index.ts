import type { Tensor1D, Variable } from '@tensorflow/tfjs-core';
import { checkShape } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { assignAll, ownData } from '../../tfjs/in-place';
import { composeLossScale } from './compose';
import type { LossScaleAttributes, LossScaleInputs, LossScaleOutputs } from './types';
import { webgpuLossScale } from './webgpu';

export type { LossScaleAttributes } from './types';

const run = defineOp<LossScaleInputs, LossScaleAttributes, LossScaleOutputs>({
  name: 'QLossScale',
  compose: composeLossScale,
  webgpu: webgpuLossScale,
});

/**
 * The loss scale after a step (torch's _amp_update_scale_): times `backoffFactor` where the step was left out, times
 * `growthFactor` after `growthInterval` steps in a row that were not. In place and in one dispatch on webgpu.
 *
 * @param scale float32 [1], changed
 * @param counts float32 [2], changed: steps since the scale last changed, and steps left out
 * @param control float32 [2] from `clipControl`
 * @throws KernelError BAD_SHAPE
 */
export function updateLossScale(
  scale: Variable,
  counts: Variable,
  control: Tensor1D,
  attributes: LossScaleAttributes,
): void {
  checkShape('updateLossScale', 'scale', scale, [1]);
  checkShape('updateLossScale', 'counts', counts, [2]);
  checkShape('updateLossScale', 'control', control, [2]);
  ownData([scale, counts]);
  assignAll({ scale, counts }, run({ scale, counts, control }, attributes));
}
