import type { Tensor } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import { knownValues } from '../tfjs/host-values';

/**
 * Checks that every index lies in [0, size), or equals `ignored`, where the host can see them. Where it can't, the
 * WebGPU kernels answer a bad index with NaN, never with another row's values.
 */
export function checkIndices(op: string, argument: string, indices: Tensor, size: number, ignored?: number): void {
  const values = knownValues(indices);
  if (values === undefined) return;
  for (let i = 0; i < values.length; i++) {
    const index = values[i]!;
    if ((index < 0 || index >= size) && index !== ignored) {
      throw new KernelError(
        'BAD_ARGUMENT',
        `${op}: ${argument}[${i}] is ${index}, but it must lie between 0 and ${size - 1}`,
      );
    }
  }
}
