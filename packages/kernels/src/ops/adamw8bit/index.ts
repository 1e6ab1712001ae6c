import { keep, tensor1d, variable, zeros, type Variable } from '@tensorflow/tfjs-core';
import { checkShape } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { createDynamicMap } from '../../tables';
import type { StepValues } from '../adamw';
import { assignAll, ownData } from '../adamw/in-place';
import { STEP_SIZE } from '../adamw/types';
import { int32Count, type Nearest } from '../blockwise8bit';
import { checkBytes } from '../blockwise8bit/bytes';
import { blockwiseBounds } from '../blockwise8bit/grid';
import { composeAdamw8bit } from './compose';
import {
  BLOCKSIZE,
  type Adamw8bitAttributes,
  type Adamw8bitEntry,
  type Adamw8bitInputs,
  type Adamw8bitMaps,
  type Adamw8bitState,
} from './types';
import { wasmAdamw8bit } from './wasm';
import { webgpuAdamw8bit } from './webgpu';

export type { Adamw8bitEntry, Adamw8bitMaps, Adamw8bitState } from './types';

const run = defineOp<Adamw8bitInputs, Adamw8bitAttributes>({
  name: 'QAdamw8bit',
  compose: composeAdamw8bit,
  wasm: wasmAdamw8bit,
  webgpu: webgpuAdamw8bit,
});

/**
 * One step of AdamW with moments in 8 bits, blocks of 256 (Dettmers et al. 2022, "8-bit Optimizers via Block-wise
 * Quantization"), in the order of bitsandbytes' CPU and Triton backends: decay before the step, the update by the exact
 * float32 moments, then both quantised again (backends/cpu/ops.py _optimizer_update_8bit_blockwise_cpu). An element
 * whose gradient is NaN or infinite gets moments of zero and keeps its value, decay included (csrc/kernels.cu
 * kOptimizerStatic8bit2StateBlockwise). Works in place on wasm and webgpu, there with as many parameters a dispatch as
 * the device binds; where `step` says that the step is left out, nothing changes.
 *
 * @throws KernelError BAD_SHAPE
 */
export function adamw8bitSteps(
  entries: readonly Adamw8bitEntry[],
  { tables, nearest }: Adamw8bitMaps,
  step: StepValues,
): void {
  const op = 'adamw8bitSteps';
  checkShape(op, 'tables', tables, [1024]);
  checkShape(op, 'step', step, [STEP_SIZE]);
  const inputs: Adamw8bitInputs = { tables, step };
  const changed = entries.flatMap(({ parameter, gradient, state: { m, v, mAbsmax, vAbsmax } }, index) => {
    checkShape(op, 'gradient', gradient, parameter.shape);
    checkBytes(op, 'm', m, parameter.size);
    checkBytes(op, 'v', v, parameter.size);
    const blocks = Math.ceil(parameter.size / BLOCKSIZE);
    checkShape(op, 'mAbsmax', mAbsmax, [blocks]);
    checkShape(op, 'vAbsmax', vAbsmax, [blocks]);
    const variables = { parameter, m, v, mAbsmax, vAbsmax };
    ownData(Object.values(variables));
    for (const [name, tensor] of Object.entries({ ...variables, gradient })) inputs[`${name}${index}`] = tensor;
    return Object.values(variables);
  });
  assignAll(changed, run(inputs, { nearest, entries: entries.map(({ attributes }) => attributes) }));
}

/**
 * The dynamic maps of both moments on the device.
 *
 * @param nearest how a moment finds its code: see `Nearest`
 */
export function adamw8bitMaps(nearest: Nearest = 'exact'): Adamw8bitMaps {
  const tables = new Float32Array(1024);
  [createDynamicMap({ signed: true }), createDynamicMap({ signed: false })].forEach((code, map) => {
    tables.set(code, 256 * map);
    tables.set(blockwiseBounds(code, nearest), 256 * (map + 2));
  });
  tables[767] = Infinity;
  tables[1023] = Infinity;
  // Kept: the first step that needs them may be one that is being recorded.
  return { tables: keep(tensor1d(tables)), nearest };
}

/** Moments of zero for a parameter of so many elements: codes and absmax 0, as bitsandbytes starts. */
export function adamw8bitState(size: number): Adamw8bitState {
  const blocks = Math.ceil(size / BLOCKSIZE);
  const make = (length: number, dtype: 'int32' | 'float32'): Variable => {
    const initial = zeros([length], dtype);
    const made = variable(initial, false);
    initial.dispose();
    return made;
  };
  return {
    m: make(int32Count(size), 'int32'),
    v: make(int32Count(size), 'int32'),
    mAbsmax: make(blocks, 'float32'),
    vAbsmax: make(blocks, 'float32'),
  };
}
