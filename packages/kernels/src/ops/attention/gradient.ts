import { defineOp, type OpGradient } from '../../engine/op';
import { composeAttentionBackward } from './compose';
import type { AttentionAttributes, AttentionBackwardInputs, AttentionInputs, AttentionOutputs } from './types';
import { wasmAttentionBackward } from './wasm';
import { webgpuAttentionBackward } from './webgpu';

const backward = defineOp<AttentionBackwardInputs, AttentionAttributes>({
  name: 'QAttentionBackward',
  compose: composeAttentionBackward,
  wasm: wasmAttentionBackward,
  webgpu: webgpuAttentionBackward,
});

export const attentionGradient: OpGradient<AttentionInputs, AttentionAttributes, AttentionOutputs> = {
  saves: { inputs: ['qkv', 'sequences', 'random'], outputs: ['y', 'lse'] },
  activations: { inputs: ['qkv'], outputs: ['y'] },
  backward: ({ dy, inputs, outputs, attributes }) => ({
    qkv: () => backward({ ...inputs, ...outputs, dy: dy.y }, attributes),
  }),
};
