import { add } from '@tensorflow/tfjs-core';
import { defineOp, type OpGradient } from '../../engine/op';
import { composeLayerNormBackward, composeLayerNormParameterGradients } from './compose';
import type {
  LayerNormAttributes,
  LayerNormBackwardInputs,
  LayerNormBranchOutputs,
  LayerNormInputs,
  LayerNormOutputs,
  LayerNormParameterGradients,
} from './types';
import { wasmLayerNormBackward, wasmLayerNormParameterGradients } from './wasm';
import { webgpuLayerNormBackward, webgpuLayerNormParameterGradients } from './webgpu';

const backward = defineOp<LayerNormBackwardInputs, object>({
  name: 'QLayerNormBackward',
  compose: composeLayerNormBackward,
  wasm: wasmLayerNormBackward,
  webgpu: webgpuLayerNormBackward,
});

const parameterGradients = defineOp<LayerNormBackwardInputs, object, LayerNormParameterGradients>({
  name: 'QLayerNormParameterGradients',
  compose: composeLayerNormParameterGradients,
  wasm: wasmLayerNormParameterGradients,
  webgpu: webgpuLayerNormParameterGradients,
});

/** The same with what else depends on x added, in the same pass where the backend has one. */
const backwardAdding = defineOp<LayerNormBackwardInputs, object>({
  name: 'QLayerNormBackwardAdding',
  compose: ({ residual, ...inputs }) => add(backward(inputs, {}), residual!),
  webgpu: webgpuLayerNormBackward,
});

/** What both forms of the norm save and answer, but for the gradient by x. */
const shared = {
  saves: { inputs: ['x', 'gamma'], outputs: ['mean', 'reciprocalStd'] },
  activations: { inputs: ['x'] },
  recomputed: { output: 'y', from: 'x' },
} as const;

const parametersOf = (inputs: LayerNormBackwardInputs) => ({
  gamma: () => parameterGradients(inputs, {}).gamma,
  beta: () => parameterGradients(inputs, {}).beta,
});

export const layerNormGradient: OpGradient<LayerNormInputs, LayerNormAttributes, LayerNormOutputs> = {
  ...shared,
  backward: ({ dy, inputs, outputs }) => {
    const read = { ...inputs, ...outputs, dy: dy.y };
    return { x: () => backward(read, {}), ...parametersOf(read) };
  },
};

export const layerNormBranchGradient: OpGradient<LayerNormInputs, LayerNormAttributes, LayerNormBranchOutputs> = {
  ...shared,
  backward: ({ dy, inputs, outputs }) => {
    const read = { ...inputs, ...outputs, dy: dy.y };
    return { x: () => backwardAdding({ ...read, residual: dy.same }, {}), ...parametersOf(read) };
  },
};
