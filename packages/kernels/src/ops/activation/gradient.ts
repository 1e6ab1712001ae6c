import { defineOp, type OpGradient } from '../../engine/op';
import { composeActivationBackward } from './compose';
import type { ActivationAttributes, ActivationBackwardInputs, ActivationInputs } from './types';
import { webgpuActivationBackward } from './webgpu';
import { wasmActivationBackward } from './wasm';

/** dy times the derivative at x. */
export const activationBackward = defineOp<ActivationBackwardInputs, ActivationAttributes>({
  name: 'QActivationBackward',
  compose: composeActivationBackward,
  wasm: wasmActivationBackward,
  webgpu: webgpuActivationBackward,
});

export const activationGradient: OpGradient<ActivationInputs, ActivationAttributes> = {
  saves: { inputs: ['x'] },
  activations: { inputs: ['x'] },
  backward: ({ dy, inputs: { x }, attributes }) => ({ x: () => activationBackward({ dy, x }, attributes) }),
};
