const hardware = new WeakMap<GPUDevice, GPUDevice>();

/** Says that `recording` stands in for a real device while a function is recorded. */
export function standInFor(recording: GPUDevice, device: GPUDevice): void {
  hardware.set(recording, device);
}

/**
 * The device that pipelines and buffers of lasting values belong to, and caches are keyed by: the real one also while
 * a plan is being recorded (see plan/recording-device.ts).
 */
export function hardwareOf(device: GPUDevice): GPUDevice {
  return hardware.get(device) ?? device;
}
