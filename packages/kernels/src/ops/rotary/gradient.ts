import { defineOp, type OpGradient } from '../../engine/op';
import { composeRotaryBackward } from './compose';
import type { RotaryBackwardInputs, RotaryGradients, RotaryHeads, RotaryInputs } from './types';
import { wasmRotaryBackward } from './wasm';
import { webgpuRotaryBackward } from './webgpu';

const backward = defineOp<RotaryBackwardInputs, RotaryHeads, RotaryGradients>({
  name: 'QRotaryBackward',
  compose: composeRotaryBackward,
  wasm: wasmRotaryBackward,
  webgpu: webgpuRotaryBackward,
});

export const rotaryGradient: OpGradient<RotaryInputs, RotaryHeads> = {
  saves: { inputs: ['positions', 'table'] },
  backward: ({ dy, inputs, attributes }) => {
    // All three in one pass, outside of the functions: each of those runs in a tidy of its own.
    const { q, k, v } = backward({ dy, positions: inputs.positions, table: inputs.table }, attributes);
    return { q: () => q, k: () => k, v: () => v };
  },
};
