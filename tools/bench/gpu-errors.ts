import type { Device } from '@qlora-js/kernels';

/** A list that every error of the device's GPU is added to and printed; empty without a GPU. */
export function collectGpuErrors(device: Device): string[] {
  const errors: string[] = [];
  device.gpuDevice?.addEventListener('uncapturederror', ({ error }) => {
    errors.push(error.message);
    console.error('GPU error:', error.message.slice(0, 600));
  });
  return errors;
}
