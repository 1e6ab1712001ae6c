import { defineOp, type OpGradient } from '../../engine/op';
import { composeCrossEntropyBackward } from './compose';
import type {
  CrossEntropyAttributes,
  CrossEntropyBackwardInputs,
  CrossEntropyInputs,
  CrossEntropyOutputs,
} from './types';
import { wasmCrossEntropyBackward } from './wasm';
import { webgpuCrossEntropyBackward } from './webgpu';

const backward = defineOp<CrossEntropyBackwardInputs, CrossEntropyAttributes>({
  name: 'QCrossEntropyBackward',
  compose: composeCrossEntropyBackward,
  wasm: wasmCrossEntropyBackward,
  webgpu: webgpuCrossEntropyBackward,
});

export const crossEntropyGradient: OpGradient<CrossEntropyInputs, CrossEntropyAttributes, CrossEntropyOutputs> = {
  saves: { inputs: ['labels'], outputs: ['probabilities'] },
  backward: ({ dy, inputs: { labels }, outputs: { probabilities }, attributes }) => ({
    logits: () => backward({ dy: dy.loss, probabilities, labels }, attributes),
  }),
};
