import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { internalsOf, type BackendInternals } from '../tfjs/backend';

/**
 * tfjs' backend of a device that plans run on.
 *
 * @throws KernelError NO_FEATURE on other backends than webgpu
 */
export function backendOf(device: Device): BackendInternals {
  if (device.gpuDevice === undefined) {
    throw new KernelError(
      'NO_FEATURE',
      `a plan replays GPU commands, and this device is ${device.backend}: call the function itself, or open webgpu`,
    );
  }
  return internalsOf(device.tfjsBackend);
}
