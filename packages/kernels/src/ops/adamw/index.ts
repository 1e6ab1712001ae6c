import { tensor1d, type Tensor, type Tensor1D, type Variable } from '@tensorflow/tfjs-core';
import { checkShape } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { composeAdamw, composeStepValues } from './compose';
import { assignAll, ownData } from '../../tfjs/in-place';
import type {
  AdamwInputs,
  AdamwOutputs,
  AdamwState,
  StepValuesAttributes,
  StepValuesInputs,
  StepValuesOutputs,
} from './types';
import { STEP_SIZE, type AdamwAttributes, type StepValues } from '../../optimizers/step-values';
import { wasmAdamw } from './wasm';
import { webgpuAdamw, webgpuStepValues } from './webgpu';

export type { AdamwState, StepValuesAttributes } from './types';
export type { AdamwAttributes, StepValues } from '../../optimizers/step-values';

const run = defineOp<AdamwInputs, AdamwAttributes, AdamwOutputs>({
  name: 'QAdamw',
  compose: composeAdamw,
  wasm: wasmAdamw,
  webgpu: webgpuAdamw,
});

const runStepValues = defineOp<StepValuesInputs, StepValuesAttributes, StepValuesOutputs>({
  name: 'QAdamwStepValues',
  compose: composeStepValues,
  webgpu: webgpuStepValues,
});

/**
 * One step of AdamW on a parameter and its moments, in torch's order: decay, moments, update by
 * m / (1 - beta1^t) / (sqrt(v) / sqrt(1 - beta2^t) + epsilon) (Loshchilov & Hutter 2019, algorithm 2;
 * torch/optim/adam.py _single_tensor_adam). Works in place on wasm and webgpu; a variable whose data a clone shares
 * gets a copy of its own first. Where `step` says that the step is left out, nothing changes.
 *
 * @param gradient the parameter's shape, float32
 * @throws KernelError BAD_SHAPE
 */
export function adamwStep(
  parameter: Variable,
  gradient: Tensor,
  { m, v }: AdamwState,
  step: StepValues,
  attributes: AdamwAttributes,
): void {
  checkShape('adamwStep', 'gradient', gradient, parameter.shape);
  checkShape('adamwStep', 'm', m, parameter.shape);
  checkShape('adamwStep', 'v', v, parameter.shape);
  checkShape('adamwStep', 'step', step, [STEP_SIZE]);
  ownData([parameter, m, v]);
  assignAll({ parameter, m, v }, run({ parameter, gradient, m, v, step }, attributes));
}

/**
 * The values of the next step, for every parameter alike, and the count of steps raised by one; a step that `control`
 * leaves out is not counted, as torch.amp.GradScaler has it. All of it happens on the device.
 *
 * @param counter float32 [1], the steps done; changed
 * @param control float32 [2] from `clipControl`; default: gradients as they are
 */
export function stepValues(
  learningRate: number | Tensor1D,
  counter: Variable,
  control: Tensor1D | undefined,
  attributes: StepValuesAttributes,
): StepValues {
  checkShape('stepValues', 'counter', counter, [1]);
  if (control !== undefined) checkShape('stepValues', 'control', control, [2]);
  const rate = typeof learningRate === 'number' ? tensor1d([learningRate]) : learningRate;
  checkShape('stepValues', 'learningRate', rate, [1]);
  ownData([counter]);
  const { values, ...counted } = runStepValues({ learningRate: rate, counter, control }, attributes);
  assignAll({ counter }, counted);
  if (rate !== learningRate) rate.dispose();
  return values as StepValues;
}
