import { engine, tensor, util, type Tensor, type TensorInfo, type Variable } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { internalsOf } from './backend';
import { copyOnGpu, keepInPlace } from './together';

// tfjs' tensors are immutable, and so clones and variables share their data. Kernels that write where they read need
// data that nobody else holds, and no copy of it on the host that outlives the write.

/**
 * Gives each variable data of its own, bit for bit the same, where it shares it with another tensor, a clone or a
 * snapshot.
 */
export function ownData(variables: readonly Variable[]): void {
  for (const variable of variables) {
    if (engine().backend.refCount(variable.dataId) <= 1) continue;
    const onGpu = engine().backendName === 'webgpu';
    const copy = onGpu ? copyOnGpu(variable) : copyOnHost(variable);
    if (onGpu) keepInPlace(variable, copy);
    variable.assign(copy);
    copy.dispose();
  }
}

function copyOnHost({ dataId, shape, dtype }: Variable): Tensor {
  const values = engine().backend.readSync(dataId) as Float32Array;
  return tensor(values.slice(), shape, dtype as 'float32');
}

/** Kernels that work in place return nothing; what others return becomes the variables' values. */
export function assignAll(
  variables: Readonly<Record<string, Variable>>,
  outputs: Partial<Record<string, Tensor>>,
): void {
  for (const [name, output] of Object.entries(outputs)) {
    variables[name]!.assign(output!);
    output!.dispose();
  }
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

/**
 * Tells tfjs that only the GPU has these tensors' values. tfjs keeps what it has once read back, also what a read that
 * began before this write brings after it; so these tensors get no place to keep it.
 */
export function forgetHostCopies(backend: WebGPUBackend, tensors: readonly TensorInfo[]): void {
  const { tensorMap } = internalsOf(backend);
  for (const { dataId } of tensors) {
    const data = tensorMap.get(dataId);
    if (Object.getOwnPropertyDescriptor(data, 'values')?.get !== undefined) continue;
    Object.defineProperty(data, 'values', { get: () => null, set: () => undefined });
  }
}
