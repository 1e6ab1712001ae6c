import { defineOp, type OpGradient } from '../../engine/op';
import { composeCrossEntropyBackward } from './compose';
import type { CrossEntropyAttributes, CrossEntropyBackwardInputs, CrossEntropyInputs } from './types';
import { wasmCrossEntropyBackward } from './wasm';
import { webgpuCrossEntropyBackward } from './webgpu';

const backward = defineOp<CrossEntropyBackwardInputs, CrossEntropyAttributes>({
  name: 'QCrossEntropyBackward',
  compose: composeCrossEntropyBackward,
  wasm: wasmCrossEntropyBackward,
  webgpu: webgpuCrossEntropyBackward,
});

export const crossEntropyGradient: OpGradient<CrossEntropyInputs, CrossEntropyAttributes> = {
  saveInputs: ['labels'],
  saveOutputs: [1],
  backward: ([dy], [labels, probabilities], attributes) => ({
    logits: () => backward({ dy: dy!, probabilities: probabilities!, labels: labels! }, attributes)[0]!,
  }),
};
