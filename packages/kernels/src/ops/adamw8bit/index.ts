import { keep, tensor1d, variable, zeros, type Variable } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { createDynamicMap } from '../../formats/dynamic-map';
import type { StepValues } from '../adamw';
import { assignAll, ownData } from '../../tfjs/in-place';
import { layTogether } from '../../tfjs/together';
import { STEP_SIZE } from '../../optimizers/step-values';
import { blockwiseBounds } from '../../formats/nearest';
import { composeAdamw8bit } from './compose';
import {
  adamw8bitLayout,
  NEAREST,
  type Adamw8bitArithmetic,
  type Adamw8bitAttributes,
  type Adamw8bitEntry,
  type Adamw8bitInputs,
  type Adamw8bitMaps,
  type Adamw8bitOutputs,
  type Adamw8bitState,
} from './types';
import { wasmAdamw8bit } from './wasm';
import { webgpuAdamw8bit } from './webgpu';

export { adamw8bitLayout } from './types';
export type { Adamw8bitArithmetic, Adamw8bitEntry, Adamw8bitLayout, Adamw8bitMaps, Adamw8bitState } from './types';

const run = defineOp<Adamw8bitInputs, Adamw8bitAttributes, Adamw8bitOutputs>({
  name: 'QAdamw8bit',
  compose: composeAdamw8bit,
  wasm: wasmAdamw8bit,
  webgpu: webgpuAdamw8bit,
});

/**
 * One step of AdamW with moments in 8 bits, blocks of 256 (Dettmers et al. 2022, "8-bit Optimizers via Block-wise
 * Quantization"): the update by the exact float32 moments, then both quantised again. What bitsandbytes' CUDA kernel and
 * its CPU path do differently, and which of it is followed, stands at `Adamw8bitArithmetic`. An element whose gradient
 * is NaN or infinite gets moments of zero and keeps its value, decay included. Works in place on wasm and webgpu, there in
 * one dispatch: parameters and states are brought into a buffer each, gradients best come `together`. Where `step` says that
 * the step is left out, nothing changes.
 *
 * @throws KernelError BAD_SHAPE
 */
export function adamw8bitSteps(
  entries: readonly Adamw8bitEntry[],
  { tables, arithmetic }: Adamw8bitMaps,
  step: StepValues,
): void {
  const op = 'adamw8bitSteps';
  checkShape(op, 'tables', tables, [1024]);
  checkShape(op, 'step', step, [STEP_SIZE]);
  const inputs: Adamw8bitInputs = { tables, step };
  const changed: Record<string, Variable> = {};
  for (const { parameter, gradient, state } of entries) {
    checkShape(op, 'gradient', gradient, parameter.shape);
    checkTensor(op, 'state', state, 1, 'int32');
    checkShape(op, 'state', state, [adamw8bitLayout(parameter.size).length]);
  }
  ownData(entries.flatMap(({ parameter, state }) => [parameter, state]));
  layTogether(
    entries.map(({ parameter }) => parameter),
    entries.map(({ state }) => state),
  );
  for (const [index, { parameter, gradient, state }] of entries.entries()) {
    inputs[`gradient${index}`] = gradient;
    for (const [name, variable] of Object.entries({ parameter, state })) {
      inputs[`${name}${index}`] = variable;
      changed[`${name}${index}`] = variable;
    }
  }
  assignAll(changed, run(inputs, { arithmetic, entries: entries.map(({ attributes }) => attributes) }));
}

/** The largest negative number that no GPU takes for zero. */
const BELOW_ZERO = -(2 ** -126);

/** The dynamic maps of both moments on the device, for steps of either kind. */
export function adamw8bitMaps(arithmetic: Adamw8bitArithmetic = 'cuda'): Adamw8bitMaps {
  const tables = new Float32Array(1024);
  [createDynamicMap({ signed: true }), createDynamicMap({ signed: false })].forEach((code, map) => {
    tables.set(code, 256 * map);
    tables.set(blockwiseBounds(code, NEAREST[arithmetic]), 256 * (map + 2));
    // A negative m keeps its sign: the level zero begins at zero, not halfway from the level below.
    if (map === 0 && arithmetic === 'cuda') tables[512 + code.indexOf(0) - 1] = BELOW_ZERO;
  });
  tables[767] = Infinity;
  tables[1023] = Infinity;
  // Kept: the first step that needs them may be one that is being recorded.
  return { tables: keep(tensor1d(tables)), arithmetic };
}

/** Moments of zero for a parameter of so many elements: codes and absmax 0, as bitsandbytes starts. */
export function adamw8bitState(size: number): Adamw8bitState {
  const initial = zeros([adamw8bitLayout(size).length], 'int32');
  const made = variable(initial, false);
  initial.dispose();
  return made;
}
