import { KernelError } from '../errors';

/**
 * Watches a GPUDevice for what WebGPU only tells asynchronously: the loss of the device, and memory that could not be
 * had. Work goes on without an error in both cases, and what it computes is worth nothing.
 */
export class FailureWatch {
  private error: KernelError | undefined;
  private expected = false;

  constructor(device: GPUDevice) {
    void device.lost.then(({ reason, message }) => {
      if (this.expected) return;
      this.error = new KernelError(
        'DEVICE_LOST',
        `the GPU device was lost (${reason || 'unknown'}: ${message.trim() || 'no reason given'}); everything on it is gone. ` +
          'Open a device again with openDevice() and go on from the last checkpoint; where it keeps happening, use a smaller batch or a newer driver',
      );
    });
    device.addEventListener('uncapturederror', ({ error }) => {
      if (typeof GPUOutOfMemoryError === 'undefined' || !(error instanceof GPUOutOfMemoryError)) return;
      this.error ??= outOfMemory(`the GPU has no memory left: ${error.message.trim()}`);
    });
  }

  /** The loss that follows is asked for. */
  expectLoss(): void {
    this.expected = true;
  }

  fail(error: KernelError): void {
    this.error ??= error;
  }

  get failure(): KernelError | undefined {
    return this.error;
  }

  /** @throws KernelError DEVICE_LOST or OUT_OF_MEMORY, where the device has failed since it was opened */
  throwIfFailed(): void {
    if (this.error !== undefined) throw this.error;
  }
}

export function outOfMemory(what: string): KernelError {
  return new KernelError(
    'OUT_OF_MEMORY',
    `${what}. Use a smaller batch, gradient checkpointing (checkpoint() around each block), or shorter sequences`,
  );
}
