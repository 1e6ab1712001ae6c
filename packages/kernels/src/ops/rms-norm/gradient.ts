import { add } from '@tensorflow/tfjs-core';
import { defineOp, type OpGradient } from '../../engine/op';
import { composeRmsNormBackward, composeRmsNormWeightGradient } from './compose';
import type {
  RmsNormAttributes,
  RmsNormBackwardInputs,
  RmsNormBranchOutputs,
  RmsNormInputs,
  RmsNormOutputs,
} from './types';
import { wasmRmsNormBackward, wasmRmsNormWeightGradient } from './wasm';
import { webgpuRmsNormBackward, webgpuRmsNormWeightGradient } from './webgpu';

const backward = defineOp<RmsNormBackwardInputs, object>({
  name: 'QRmsNormBackward',
  compose: composeRmsNormBackward,
  wasm: wasmRmsNormBackward,
  webgpu: webgpuRmsNormBackward,
});

/** The same with what else depends on x added, in the same pass where the backend has one. */
const backwardAdding = defineOp<RmsNormBackwardInputs, object>({
  name: 'QRmsNormBackwardAdding',
  compose: ({ residual, ...inputs }) => add(backward(inputs, {}), residual!),
  webgpu: webgpuRmsNormBackward,
});

const weightGradient = defineOp<RmsNormBackwardInputs, object>({
  name: 'QRmsNormWeightGradient',
  compose: composeRmsNormWeightGradient,
  wasm: wasmRmsNormWeightGradient,
  webgpu: webgpuRmsNormWeightGradient,
});

/** What both forms of the norm save. */
const shared = {
  saves: { inputs: ['x', 'weight'], outputs: ['reciprocalRms'] },
  activations: { inputs: ['x'] },
  recomputed: { output: 'y', from: 'x' },
} as const;

export const rmsNormGradient: OpGradient<RmsNormInputs, RmsNormAttributes, RmsNormOutputs> = {
  ...shared,
  backward: ({ dy, inputs, outputs }) => {
    const read = { ...inputs, ...outputs, dy: dy.y };
    return { x: () => backward(read, {}), weight: () => weightGradient(read, {}) };
  },
};

export const rmsNormBranchGradient: OpGradient<RmsNormInputs, RmsNormAttributes, RmsNormBranchOutputs> = {
  ...shared,
  backward: ({ dy, inputs, outputs }) => {
    const read = { ...inputs, ...outputs, dy: dy.y };
    return { x: () => backwardAdding({ ...read, residual: dy.same }, {}), weight: () => weightGradient(read, {}) };
  },
};
