import {
  findBackend,
  findBackendFactory,
  registerBackend,
  removeBackend,
  type KernelBackend,
} from '@tensorflow/tfjs-core';
import type { KernelError } from '../errors';
import { flush, internalsOf } from '../tfjs/backend';
import { destroyFreeBuffers, liveTensors, trackPeak, type PeakTracker } from '../tfjs/memory';
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
    const { count, bytes } = liveTensors();
    const ledger = this.books?.ledger;
    const used = ledger?.used ?? { currentBytes: bytes, peakBytes: Math.max(this.tracker.peak, bytes) };
    return {
      tensors: count,
      tensorBytes: bytes,
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
    destroyFreeBuffers(this.tfjsBackend);
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
    this.tracker.peak = liveTensors().bytes;
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
    flush(internalsOf(this.tfjsBackend));
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
