import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { KernelError } from '../errors';
import type { Device } from '../device/device';

/** What tfjs' backend keeps of a tensor. */
export interface TensorData {
  resource?: GPUBuffer | null;
  values?: ArrayLike<number> | null;
  refCount: number;
}

/** tfjs' backend with the members that its types keep private and a recording exchanges. */
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
  endComputePassEncoder(): void;
  submitQueue(): void;
}

export function internalsOf(device: Device): BackendInternals {
  if (device.gpuDevice === undefined) {
    throw new KernelError(
      'NO_FEATURE',
      `a plan replays GPU commands, and this device is ${device.backend}: call the function itself, or open webgpu`,
    );
  }
  return device.tfjsBackend as WebGPUBackend as unknown as BackendInternals;
}

/** Submits what tfjs has encoded so far, so that what follows comes after it. */
export function flush(backend: BackendInternals): void {
  if (backend.commandEncoder === null) return;
  backend.endComputePassEncoder();
  backend.submitQueue();
}
