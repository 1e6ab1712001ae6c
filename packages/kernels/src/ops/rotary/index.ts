import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { checkIndices } from '../../engine/indices';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { composeRotary } from './compose';
import { rotaryGradient } from './gradient';
import type { RotaryHeads, RotaryInputs } from './types';
import { wasmRotary } from './wasm';
import { webgpuRotary } from './webgpu';

const run = defineOp<RotaryInputs, RotaryHeads>({
  name: 'QRotary',
  compose: composeRotary,
  wasm: wasmRotary,
  webgpu: webgpuRotary,
  gradient: rotaryGradient,
});

/** What `rotaryQkv` takes beside the projections. */
export interface RotaryOptions extends RotaryHeads {
  /** int32 [M]: the position of each row, a row of the table */
  readonly positions: Tensor1D;
  /** float32 [positions, headSize]: cosines of the headSize / 2 angles of a position, then their sines */
  readonly table: Tensor2D;
}

/**
 * Queries and keys under rotary position embedding (Su et al. 2021, section 3.4.2), packed with the values as
 * `attention` takes them. Columns d and d + headSize / 2 of a head are a pair, as transformers' rotate_half has it
 * (models/llama/modeling_llama.py).
 *
 * @param q [M, heads * headSize] float32
 * @param k [M, keyValueHeads * headSize]
 * @param v [M, keyValueHeads * headSize], which is not rotated
 * @returns [M, (heads + 2 * keyValueHeads) * headSize]
 * @throws KernelError BAD_SHAPE, BAD_DTYPE; BAD_ARGUMENT for positions outside the table, where the host has them;
 *   where it has not, q and k of such a row come out as NaN
 */
export function rotaryQkv(q: Tensor2D, k: Tensor2D, v: Tensor2D, options: RotaryOptions): Tensor2D {
  const { heads, keyValueHeads, positions, table } = options;
  checkTensor('rotaryQkv', 'table', table, 2, 'float32');
  const [known = 0, headSize = 0] = table.shape;
  if (headSize === 0 || headSize % 2 !== 0) {
    throw new KernelError('BAD_SHAPE', `rotaryQkv: heads of ${headSize} have no pairs of columns to rotate`);
  }
  checkTensor('rotaryQkv', 'q', q, 2, 'float32');
  const rows = q.shape[0];
  checkShape('rotaryQkv', 'q', q, [rows, heads * headSize]);
  for (const [name, tensor] of [
    ['k', k],
    ['v', v],
  ] as const) {
    checkTensor('rotaryQkv', name, tensor, 2, 'float32');
    checkShape('rotaryQkv', name, tensor, [rows, keyValueHeads * headSize]);
  }
  checkTensor('rotaryQkv', 'positions', positions, 1, 'int32');
  checkShape('rotaryQkv', 'positions', positions, [rows]);
  checkIndices('rotaryQkv', 'positions', positions, known);
  return run({ q, k, v, positions, table }, { heads, keyValueHeads }) as Tensor2D;
}
