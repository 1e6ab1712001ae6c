import { defineOp, type OpGradient } from '../../engine/op';
import { composeSwigluBackward } from './compose';
import type { SwigluBackwardInputs, SwigluGradients, SwigluInputs } from './types';
import { wasmSwigluBackward } from './wasm';
import { webgpuSwigluBackward } from './webgpu';

const backward = defineOp<SwigluBackwardInputs, object, SwigluGradients>({
  name: 'QSwigluBackward',
  compose: composeSwigluBackward,
  wasm: wasmSwigluBackward,
  webgpu: webgpuSwigluBackward,
});

export const swigluGradient: OpGradient<SwigluInputs, object> = {
  saves: { inputs: ['gate', 'up'] },
  activations: { inputs: ['gate', 'up'] },
  backward: ({ dy, inputs }) => {
    // Both in one pass, outside of the functions: each of those runs in a tidy of its own.
    const { gate, up } = backward({ ...inputs, dy }, {});
    return { gate: () => gate, up: () => up };
  },
};
