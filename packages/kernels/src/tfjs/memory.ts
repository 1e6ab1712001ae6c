import { engine, type KernelBackend } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** What tfjs' buffer manager keeps of buffers nobody uses. */
interface FreeBuffers {
  readonly freeBuffers: Map<string, GPUBuffer[]>;
  numFreeBuffers: number;
  numBytesAllocated: number;
}

/** Destroys the GPU buffers that tfjs keeps for reuse; nothing on other backends. */
export function destroyFreeBuffers(backend: KernelBackend): void {
  const manager = (backend as { bufferManager?: unknown }).bufferManager as FreeBuffers | undefined;
  if (manager === undefined) return;
  for (const buffers of manager.freeBuffers.values()) {
    for (const buffer of buffers.splice(0)) {
      manager.numFreeBuffers--;
      manager.numBytesAllocated -= buffer.size;
      buffer.destroy();
    }
  }
}

/** Who is told when tfjs' buffers change hands. */
export interface BufferWatcher {
  /** A tensor's data was made. */
  made(dataId: object): void;
  /** Around the upload of a tensor's data, which may take a buffer. */
  uploading(dataId: object, upload: () => void): void;
  /** tfjs has taken a buffer into use. */
  taken(buffer: GPUBuffer): void;
  /** tfjs has no use for a buffer any more and keeps it, or destroys it. */
  released(buffer: GPUBuffer): void;
}

/** Has a watcher told of every buffer tfjs takes and gives back from now on. tfjs hands one to many tensors in turn. */
export function watchBuffers(backend: WebGPUBackend, watcher: BufferWatcher): void {
  const { bufferManager } = backend;
  const write = backend.write.bind(backend);
  const uploadToGPU = backend.uploadToGPU.bind(backend);
  const acquireBuffer = bufferManager.acquireBuffer.bind(bufferManager);
  const releaseBuffer = bufferManager.releaseBuffer.bind(bufferManager);
  backend.write = (...args) => {
    const dataId = write(...args);
    watcher.made(dataId);
    return dataId;
  };
  backend.uploadToGPU = (dataId) => watcher.uploading(dataId, () => uploadToGPU(dataId));
  bufferManager.acquireBuffer = (...args) => {
    const buffer = acquireBuffer(...args);
    watcher.taken(buffer);
    return buffer;
  };
  bufferManager.releaseBuffer = (buffer, reuse) => {
    watcher.released(buffer);
    releaseBuffer(buffer, reuse);
  };
}

/** Live tensors and their bytes, as tfjs counts them. */
export function liveTensors(): { readonly count: number; readonly bytes: number } {
  const { numTensors, numBytes } = engine().state;
  return { count: numTensors, bytes: numBytes };
}

/** Most bytes of live tensors since it was set. */
export interface PeakTracker {
  /** Bytes; may be set. */
  peak: number;
}

const PEAK = Symbol.for('qlora-js.peak-memory');

/**
 * tfjs counts live bytes in `engine().state.numBytes` and keeps no maximum. Turning that field into an accessor
 * sees every allocation at the cost of a comparison; tfjs' own `profile` keeps every op's record instead.
 */
export function trackPeak(): PeakTracker {
  const state = engine().state as unknown as { numBytes: number; [PEAK]?: PeakTracker };
  let tracker = state[PEAK];
  if (tracker === undefined) {
    let current = state.numBytes;
    const created: PeakTracker = { peak: current };
    Object.defineProperty(state, 'numBytes', {
      configurable: true,
      enumerable: true,
      get: () => current,
      set: (bytes: number) => {
        current = bytes;
        if (bytes > created.peak) created.peak = bytes;
      },
    });
    state[PEAK] = created;
    tracker = created;
  }
  tracker.peak = engine().state.numBytes;
  return tracker;
}
