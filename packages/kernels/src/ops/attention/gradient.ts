import type { Tensor } from '@tensorflow/tfjs-core';
import { defineOp, type OpGradient } from '../../engine/op';
import { composeAttentionBackward } from './compose';
import type { AttentionAttributes, AttentionBackwardInputs, AttentionInputs } from './types';
import { wasmAttentionBackward } from './wasm';
import { webgpuAttentionBackward } from './webgpu';

const backward = defineOp<AttentionBackwardInputs, AttentionAttributes>({
  name: 'QAttentionBackward',
  compose: composeAttentionBackward,
  wasm: wasmAttentionBackward,
  webgpu: webgpuAttentionBackward,
});

export const attentionGradient: OpGradient<AttentionInputs, AttentionAttributes> = {
  saveInputs: ['qkv', 'sequences', 'random'],
  saveOutputs: [0, 1],
  activations: { inputs: ['qkv'], outputs: [0] },
  backward: ([dy], [qkv, sequences, random, y, lse], attributes) => ({
    qkv: () => {
      const inputs = { dy, qkv, sequences, random, y, lse } as Record<string, Tensor> as AttentionBackwardInputs;
      return backward(inputs, attributes)[0]!;
    },
  }),
};
