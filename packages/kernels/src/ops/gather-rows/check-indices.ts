import { engine, type Tensor } from '@tensorflow/tfjs-core';
import { KernelError } from '../../errors';

/** tfjs-backend-webgpu's record of a tensor; `values` is there until the first kernel uploads it. */
interface WebgpuTensorMap {
  readonly tensorMap: { get(dataId: object): { values?: Int32Array | null } | undefined };
}

/**
 * The values of an index tensor where the host has them without waiting for a device: always on cpu and wasm, on
 * webgpu until the tensor's first use.
 */
export function indexValues(tensor: Tensor): ArrayLike<number> | undefined {
  const { backend, backendName } = engine();
  if (backendName !== 'webgpu') return backend.readSync(tensor.dataId) as Int32Array;
  return (backend as unknown as WebgpuTensorMap).tensorMap.get(tensor.dataId)?.values ?? undefined;
}

/**
 * Checks that every index lies in [0, size), or equals `ignored`, where the host can see them. Where it can't, the
 * WebGPU kernels answer a bad index with NaN, never with another row's values.
 */
export function checkIndices(op: string, argument: string, indices: Tensor, size: number, ignored?: number): void {
  const values = indexValues(indices);
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
