import { engine, mul, scalar, tidy, util, type Tensor, type TensorInfo, type Variable } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

// tfjs' tensors are immutable, and so clones and variables share their data. Kernels that write where they read need
// data that nobody else holds, and no copy of it on the host that outlives the write.

/** Gives each variable data of its own where it shares it with another tensor, a clone or a snapshot. */
export function ownData(variables: readonly Variable[]): void {
  for (const variable of variables) {
    if (engine().backend.refCount(variable.dataId) <= 1) continue;
    tidy(() => variable.assign(mul(variable as Tensor, scalar(1, variable.dtype as 'float32'))));
  }
}

/** Kernels that work in place return nothing; what others return becomes the variables' values. */
export function assignAll(variables: readonly Variable[], outputs: readonly Tensor[]): void {
  outputs.forEach((output, index) => {
    variables[index]!.assign(output);
    output.dispose();
  });
}

/**
 * Tells tfjs that a tensor's values have changed in its memory. tfjs' own products keep the operands that XNNPACK has
 * packed under the tensor's id (its BatchMatMul, Conv2D, ...); to dispose of the id drops them, and the memory stays.
 */
export function forgetPackedCopies(backend: BackendWasm, { dataId, shape }: TensorInfo): void {
  const { id, memoryOffset } = backend.dataIdMap.get(dataId);
  backend.wasm.tfjs.disposeData(id);
  backend.wasm.tfjs.registerTensor(id, util.sizeFromShape(shape), memoryOffset);
}

interface TensorData {
  values: unknown;
}

/**
 * Tells tfjs that only the GPU has these tensors' values. tfjs keeps what it has once read back, also what a read that
 * began before this write brings after it; so these tensors get no place to keep it.
 */
export function forgetHostCopies(backend: WebGPUBackend, tensors: readonly TensorInfo[]): void {
  const { tensorMap } = backend as unknown as { tensorMap: { get(dataId: object): TensorData } };
  for (const { dataId } of tensors) {
    const data = tensorMap.get(dataId);
    if (Object.getOwnPropertyDescriptor(data, 'values')?.get !== undefined) continue;
    Object.defineProperty(data, 'values', { get: () => null, set: () => undefined });
  }
}
