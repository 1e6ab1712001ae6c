import { openDevice, type Device } from '@qlora-js/kernels';
import type { Backend, DeviceFound } from './protocol';

/** Beside the built scripts; build/tfjs-wasm-files.ts puts them there. A variable, or the bundler would look for a file. */
const TFJS_FILES = './tfjs/';

/** Threads at most: each has a copy of the base. */
const MAX_THREADS = 4;

/** A device and what to say of it. */
export interface OpenedDevice {
  readonly device: Device;
  readonly found: DeviceFound;
}

/** Opens the GPU, or wasm where there is none. */
export async function openPageDevice(backend: Backend): Promise<OpenedDevice> {
  const notes: string[] = [];
  const device = await openDevice({
    backend,
    wasmPaths: new URL(TFJS_FILES, import.meta.url).href,
    log: (line) => notes.push(line),
  });
  const { adapter } = device.info;
  if (device.backend === 'webgpu') {
    return { device, found: { backend: 'webgpu', adapter, threads: 1, note: undefined } };
  }
  const cores = navigator.hardwareConcurrency;
  return { device, found: { backend: 'wasm', adapter, threads: Math.min(cores, MAX_THREADS), note: notes[0] } };
}
