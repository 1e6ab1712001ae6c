import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { flush } from '../tfjs/backend';
import { backendOf } from './backend';

/** Copies a buffer's bytes to the host, as they are after all that has been issued so far. */
export async function readBuffer(device: Device, source: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const gpuDevice = device.gpuDevice!;
  flush(backendOf(device));
  const staging = device.owner('read back', () =>
    gpuDevice.createBuffer({
      label: 'read back',
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    }),
  );
  try {
    const encoder = gpuDevice.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, staging, 0, bytes);
    gpuDevice.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return staging.getMappedRange().slice(0);
  } catch (error) {
    device.throwIfFailed();
    throw new KernelError('DEVICE_LOST', `values could not be read from the GPU: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    staging.destroy();
  }
}
