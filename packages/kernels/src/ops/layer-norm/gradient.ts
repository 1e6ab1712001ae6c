import { add, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, type OpGradient } from '../../engine/op';
import { composeLayerNormBackward, composeLayerNormParameterGradients } from './compose';
import type { LayerNormAttributes, LayerNormBackwardInputs, LayerNormInputs } from './types';
import { wasmLayerNormBackward, wasmLayerNormParameterGradients } from './wasm';
import { webgpuLayerNormBackward, webgpuLayerNormParameterGradients } from './webgpu';

const backward = defineOp<LayerNormBackwardInputs, object>({
  name: 'QLayerNormBackward',
  compose: composeLayerNormBackward,
  wasm: wasmLayerNormBackward,
  webgpu: webgpuLayerNormBackward,
});

const parameterGradients = defineOp<LayerNormBackwardInputs, object>({
  name: 'QLayerNormParameterGradients',
  compose: composeLayerNormParameterGradients,
  wasm: wasmLayerNormParameterGradients,
  webgpu: webgpuLayerNormParameterGradients,
});

/** The same with what else depends on x added, in the same pass where the backend has one. */
const backwardAdding = defineOp<LayerNormBackwardInputs, object>({
  name: 'QLayerNormBackwardAdding',
  compose: ({ residual, ...inputs }) => [add(backward(inputs, {})[0]!, residual!)],
  webgpu: webgpuLayerNormBackward,
});

export const layerNormGradient: OpGradient<LayerNormInputs, LayerNormAttributes> = {
  saveInputs: ['x', 'gamma'],
  saveOutputs: [1, 2],
  activations: { inputs: ['x'] },
  recomputedFrom: 'x',
  backward: ([dy], [x, gamma, mean, reciprocalStd]) => {
    const inputs = { dy, x, gamma, mean, reciprocalStd } as Record<string, Tensor> as LayerNormBackwardInputs;
    return {
      x: () => backward(inputs, {})[0]!,
      gamma: () => parameterGradients(inputs, {})[0]!,
      beta: () => parameterGradients(inputs, {})[1]!,
    };
  },
};

export const layerNormBranchGradient: OpGradient<LayerNormInputs, LayerNormAttributes> = {
  saveInputs: ['x', 'gamma'],
  saveOutputs: [2, 3],
  activations: { inputs: ['x'] },
  recomputedFrom: 'x',
  backward: ([dy, residual], [x, gamma, mean, reciprocalStd]) => {
    const inputs = { dy, x, gamma, mean, reciprocalStd } as Record<string, Tensor> as LayerNormBackwardInputs;
    return {
      x: () => backwardAdding({ ...inputs, residual }, {})[0]!,
      gamma: () => parameterGradients(inputs, {})[0]!,
      beta: () => parameterGradients(inputs, {})[1]!,
    };
  },
};
