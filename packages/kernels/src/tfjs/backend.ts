import { engine, keep, type DataType, type KernelBackend, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';

/** What tfjs' webgpu backend keeps of a tensor. */
export interface TensorData {
  /** Its buffer, once it has one. */
  resource?: GPUBuffer | null;
  /** Its values on the host, until they are uploaded or once they are read back. */
  values?: ArrayLike<number> | null;
  /** Tensors on the data. */
  refCount: number;
}

/**
 * tfjs' webgpu backend with the members that its types keep private: its command encoder, which our dispatches join so
 * that they stay in order with tfjs' own, the set of tensors that must outlive the commands encoded so far, and what a
 * recording exchanges.
 */
export interface BackendInternals {
  device: GPUDevice;
  queue: GPUQueue;
  bufferManager: object;
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  commandQueueOwnedIds: WeakSet<object>;
  tensorDataPendingDisposal: object[];
  uniformPendingDisposal: GPUBuffer[];
  stagingPendingDisposal: GPUBuffer[];
  readonly tensorMap: { get(dataId: object): TensorData; has(dataId: object): boolean };
  write(values: unknown, shape: number[], dtype: string): object;
  uploadToGPU(dataId: object): void;
  disposeData(dataId: object, force?: boolean): boolean;
  tensorToBinding(tensor: TensorInfo | null): object | null;
  readSync(dataId: object): unknown;
  read(dataId: object): Promise<unknown>;
  incRef(dataId: object): void;
  refCount(dataId: object): number;
  makeTensorInfo(shape: number[], dtype: string): TensorInfo;
  createTensorFromGPUData(data: { buffer: GPUBuffer; zeroCopy?: boolean }, shape: number[], dtype: string): unknown;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The private members of a webgpu backend. */
export function internalsOf(backend: KernelBackend): BackendInternals {
  return backend as unknown as BackendInternals;
}

/** A tensor's buffer, uploaded or allocated where it has none. */
export function bufferOf(backend: BackendInternals, dataId: object): GPUBuffer {
  backend.uploadToGPU(dataId);
  return backend.tensorMap.get(dataId).resource!;
}

/** What the backend keeps of a tensor, or undefined where it is gone. */
export function dataOf(backend: BackendInternals, dataId: object): TensorData | undefined {
  return backend.tensorMap.has(dataId) ? backend.tensorMap.get(dataId) : undefined;
}

/** A tensor on a buffer of somebody else's; tidies leave it. */
export function tensorOn(
  backend: BackendInternals,
  buffer: GPUBuffer,
  { shape, dtype }: { readonly shape: readonly number[]; readonly dtype: DataType },
): Tensor {
  return engine().tidy(() =>
    keep(backend.createTensorFromGPUData({ buffer, zeroCopy: true }, [...shape], dtype) as Tensor),
  );
}

/** Submits what has been encoded so far, so that what follows comes after it. */
export function flush(backend: BackendInternals): void {
  if (backend.commandEncoder === null) return;
  backend.endComputePassEncoder();
  backend.submitQueue();
}
