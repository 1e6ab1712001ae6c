import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { OpDefinition } from '../../engine/op';
import { forgetPackedCopies } from '../../tfjs/in-place';
import { heapScalars } from '../../optimizers/wasm-scalars';
import { adamw8bitLayout, entryOf, type Adamw8bitAttributes, type Adamw8bitInputs } from './types';

/** Bytes of one of the four tables. */
const TABLE_BYTES = 4 * 256;

/** In place. */
export const wasmAdamw8bit: NonNullable<OpDefinition<Adamw8bitInputs, Adamw8bitAttributes>['wasm']> = (
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
    wasm.kernels.adamw8bit(
      wasm.pointer(parameter),
      wasm.pointer(gradient),
      part(layout.m),
      part(layout.v),
      part(layout.mAbsmax),
      part(layout.vAbsmax),
      table,
      table + TABLE_BYTES,
      table + 2 * TABLE_BYTES,
      table + 3 * TABLE_BYTES,
      Number(arithmetic === 'cpu'),
      size,
      learningRate,
      attributes.beta1,
      attributes.beta2,
      attributes.epsilon,
      attributes.weightDecay,
      correction1,
      rootCorrection2 ** 2,
      gradientScale,
      wasm.kernels.scratch(wasm.kernels.adamw8bitScratchBytes()),
    );
    forgetPackedCopies(wasm.backend, parameter);
  });
  return [];
};
