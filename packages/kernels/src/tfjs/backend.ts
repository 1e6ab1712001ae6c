import { engine, keep, type DataType, type KernelBackend, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';

/** What tfjs' webgpu backend keeps of a tensor. */
export interface TensorData {
  /** Its buffer, once it has one. */
  resource?: GPUBuffer | null;
  /** Its values on the host, until they are uploaded or once they are read back. */
  values?: ArrayLike<number> | null;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  /** Tensors on the data. */
  refCount: number;
}

/** What tfjs takes buffers from. */
export interface BufferManager {
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mapped?: boolean, reuse?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
}

/**
 * tfjs' webgpu backend with the members that its types keep private: its command encoder, which our dispatches join so
 * that they stay in order with tfjs' own, the set of tensors that must outlive the commands encoded so far, and what a
 * recording exchanges.
 */
export interface BackendInternals {
  device: GPUDevice;
  queue: GPUQueue;
  bufferManager: BufferManager;
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
  readToGPU(dataId: object): unknown;
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

/** Where a tensor's data lies: in a buffer of its own, or in a range of one that it shares with others. */
export interface TensorPlace {
  readonly buffer: GPUBuffer;
  /** Bytes from the buffer's beginning. */
  readonly offset: number;
  /** Bytes of a range; undefined for a whole buffer. */
  readonly size: number | undefined;
}

/** What offsets of bindings are multiples of, by WebGPU's guaranteed limits. */
export const ALIGNMENT = 256;

/** Bytes up to where the next range may begin. */
export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** What buffers of tensors are for; the flags are there only once WebGPU is. */
export const tensorUsage = (): number => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** The part of a buffer that is a tensor's. */
export type BufferRange = Readonly<Record<'offset' | 'size', number>>;

const ranges = new WeakMap<object, BufferRange>();

/** The tensor's range of the buffer that it shares; undefined where it has one of its own. */
export const rangeOf = (dataId: object): BufferRange | undefined => ranges.get(dataId);

/** Gives a tensor another buffer, or a range of one; what it had is the caller's. */
export function putInto(backend: BackendInternals, dataId: object, buffer: GPUBuffer, range?: BufferRange): void {
  backend.tensorMap.get(dataId).resource = buffer;
  if (range === undefined) ranges.delete(dataId);
  else ranges.set(dataId, range);
}

/** Where a tensor's data lies, uploaded or allocated where it is not on the GPU. */
export function placeOf(backend: BackendInternals, dataId: object): TensorPlace {
  backend.uploadToGPU(dataId);
  const { resource } = backend.tensorMap.get(dataId);
  return { buffer: resource!, offset: 0, size: undefined, ...ranges.get(dataId) };
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
