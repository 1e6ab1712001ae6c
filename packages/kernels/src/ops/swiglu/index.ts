import type { Tensor } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { composeSwiglu } from './compose';
import { swigluGradient } from './gradient';
import type { SwigluInputs } from './types';
import { wasmSwiglu } from './wasm';
import { webgpuSwiglu } from './webgpu';

const run = defineOp<SwigluInputs, object>({
  name: 'QSwiglu',
  compose: composeSwiglu,
  wasm: wasmSwiglu,
  webgpu: webgpuSwiglu,
  gradient: swigluGradient,
});

/**
 * silu(gate) * up, element by element: what stands between the matrices of Llama's MLP (Shazeer 2020, equation 5).
 *
 * @param gate float32 of any shape
 * @param up of the same shape
 * @throws KernelError BAD_SHAPE, BAD_DTYPE
 */
export function swiglu<T extends Tensor>(gate: T, up: T): T {
  checkTensor('swiglu', 'gate', gate, gate.rank, 'float32');
  checkTensor('swiglu', 'up', up, gate.rank, 'float32');
  checkShape('swiglu', 'up', up, gate.shape);
  return run({ gate, up }, {}) as T;
}
