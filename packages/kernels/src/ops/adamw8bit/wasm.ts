import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmKernel } from '../../engine/op';
import { forgetPackedCopies } from '../../tfjs/in-place';
import { heapScalars } from '../../optimizers/wasm-scalars';
import {
  adamw8bitLayout,
  entryOf,
  type Adamw8bitAttributes,
  type Adamw8bitInputs,
  type Adamw8bitOutputs,
} from './types';

/** Bytes of one of the four tables. */
const TABLE_BYTES = 4 * 256;

/** In place. */
export const wasmAdamw8bit: WasmKernel<Adamw8bitInputs, Adamw8bitAttributes, Adamw8bitOutputs> = (
  inputs,
  { entries, arithmetic },
  wasm,
) => {
  const { tables, step } = inputs;
  entries.forEach((attributes, index) => {
    const { learningRate, correction1, rootCorrection2, gradientScale, apply } = heapScalars(wasm, step, attributes);
    if (!apply) return;
    const { parameter, gradient, state } = entryOf<TensorInfo>(inputs, index);
    const size = util.sizeFromShape(parameter.shape);
    const layout = adamw8bitLayout(size);
    const part = (at: number): number => wasm.pointer(state) + 4 * at;
    const table = wasm.pointer(tables);
    wasm.call.adamw8bit({
      p: wasm.pointer(parameter),
      g: wasm.pointer(gradient),
      state1: part(layout.m),
      state2: part(layout.v),
      absmax1: part(layout.mAbsmax),
      absmax2: part(layout.vAbsmax),
      code1: table,
      code2: table + TABLE_BYTES,
      bounds1: table + 2 * TABLE_BYTES,
      bounds2: table + 3 * TABLE_BYTES,
      grid: Number(arithmetic === 'cpu'),
      n: size,
      lr: learningRate,
      b1: attributes.beta1,
      b2: attributes.beta2,
      eps: attributes.epsilon,
      wd: attributes.weightDecay,
      bc1: correction1,
      bc2: rootCorrection2 ** 2,
      gradScale: gradientScale,
      scratch: wasm.kernels.scratch(wasm.kernels.adamw8bitScratchBytes()),
    });
    forgetPackedCopies(wasm.backend, parameter);
  });
  return {};
};
