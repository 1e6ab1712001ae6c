import {
  engine,
  findBackend,
  findBackendFactory,
  registerBackend,
  removeBackend,
  type KernelBackend,
} from '@tensorflow/tfjs-core';
import type { KernelError } from '../errors';
import type { BufferLedger } from './buffer-ledger';
import type { FailureWatch } from './failure';
import type { DeviceInfo, DeviceMemory } from './types';
import { formatReport } from './report';

/** What is kept of a GPUDevice beside it. */
export interface GpuBooks {
  readonly ledger: BufferLedger;
  readonly failures: FailureWatch;
}

/** An open backend: what it is, what it holds, and the way to give it back. */
export class Device {
  private readonly tracker: PeakTracker;
  private disposed = false;

  constructor(
    readonly info: DeviceInfo,
    /** tfjs' backend behind it. */
    readonly tfjsBackend: KernelBackend,
    /** The GPUDevice on webgpu, for callers who dispatch work of their own. */
    readonly gpuDevice: GPUDevice | undefined,
    private readonly allocatedBytes: () => number,
    private readonly books?: GpuBooks,
  ) {
    this.tracker = trackPeak();
  }

  get backend(): DeviceInfo['backend'] {
    return this.info.backend;
  }

  /** Tensors and bytes at the moment, and at most since the device was opened or `resetPeakMemory` was called. */
  memory(): DeviceMemory {
    const { numBytes, numTensors } = engine().state;
    const ledger = this.books?.ledger;
    const used = ledger?.used ?? { currentBytes: numBytes, peakBytes: Math.max(this.tracker.peak, numBytes) };
    return {
      tensors: numTensors,
      tensorBytes: numBytes,
      currentBytes: used.currentBytes,
      peakBytes: used.peakBytes,
      allocatedBytes: this.allocatedBytes(),
      peakAllocatedBytes: ledger?.held.peakBytes ?? 0,
      byOwner: ledger?.byOwner() ?? {},
    };
  }

  /**
   * Runs `work`; GPU buffers that it makes, and those that its tensors are uploaded to later, count as `name`'s in
   * `memory().byOwner`. Scopes nest, the innermost counts. Synchronous work only.
   */
  owner<Result>(name: string, work: () => Result): Result {
    return this.books === undefined ? work() : this.books.ledger.scope(name, work);
  }

  /** Destroys the GPU buffers that tfjs keeps for reuse, as after eager work that plans have taken over. */
  releaseUnused(): void {
    const manager = (this.tfjsBackend as { bufferManager?: unknown }).bufferManager as FreeBuffers | undefined;
    if (manager === undefined) return;
    for (const buffers of manager.freeBuffers.values()) {
      for (const buffer of buffers.splice(0)) {
        manager.numFreeBuffers--;
        manager.numBytesAllocated -= buffer.size;
        buffer.destroy();
      }
    }
  }

  /** What has gone wrong for good since the device was opened: its loss, or memory that could not be had. */
  get failure(): KernelError | undefined {
    return this.books?.failures.failure;
  }

  /** @throws KernelError DEVICE_LOST or OUT_OF_MEMORY; both reach the program later than the call that caused them */
  throwIfFailed(): void {
    this.books?.failures.throwIfFailed();
  }

  /** Records a failure found elsewhere, such as an error scope; the first one stays. */
  fail(error: KernelError): void {
    this.books?.failures.fail(error);
  }

  resetPeakMemory(): void {
    this.tracker.peak = engine().state.numBytes;
    this.books?.ledger.resetPeak();
  }

  /** Runtime, adapter, driver, features, limits and memory as lines of text. */
  report(): string {
    return formatReport(this.info, this.memory());
  }

  /**
   * Resolves once everything issued so far has run.
   *
   * @throws KernelError DEVICE_LOST or OUT_OF_MEMORY
   */
  async synchronize(): Promise<void> {
    if (this.gpuDevice === undefined) return;
    const backend = this.tfjsBackend as unknown as {
      commandEncoder: unknown;
      endComputePassEncoder(): void;
      submitQueue(): void;
    };
    if (backend.commandEncoder !== null) {
      backend.endComputePassEncoder();
      backend.submitQueue();
    }
    await this.gpuDevice.queue.onSubmittedWorkDone();
    this.throwIfFailed();
  }

  /** Frees the backend and everything on it. Safe to call twice. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const { backend } = this.info;
    const factory = findBackendFactory(backend);
    // Another device may have been opened since, and taken the name.
    if (factory !== null && findBackend(backend) === this.tfjsBackend) {
      removeBackend(backend);
      // A backend's module registers itself once a process; without its factory it could not be opened again.
      if (this.gpuDevice === undefined) registerBackend(backend, factory);
    }
    this.books?.failures.expectLoss();
    this.gpuDevice?.destroy();
  }
}

/** What tfjs' buffer manager keeps of buffers nobody uses. */
interface FreeBuffers {
  readonly freeBuffers: Map<string, GPUBuffer[]>;
  numFreeBuffers: number;
  numBytesAllocated: number;
}

interface PeakTracker {
  peak: number;
}

const PEAK = Symbol.for('qlora-js.peak-memory');

/**
 * tfjs counts live bytes in `engine().state.numBytes` and keeps no maximum. Turning that field into an accessor
 * sees every allocation at the cost of a comparison; tfjs' own `profile` keeps every op's record instead.
 */
function trackPeak(): PeakTracker {
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
