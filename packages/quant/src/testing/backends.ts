import { afterAll, beforeAll, describe } from 'vitest';
import { openDevice, type Device } from '@qlora-js/kernels';

const BACKENDS = ['cpu', 'wasm', 'webgpu'] as const;

/** Whether WebGPU opens here: on a GPU, or under tools/gpu/run.mjs. */
const hasWebGpu = await openDevice({ backend: 'webgpu' }).then(
  (device) => {
    device.dispose();
    return true;
  },
  (error: unknown) => {
    if (process.env['CI']) throw error;
    console.warn(`webgpu is not tested: ${String(error)}`);
    return false;
  },
);

/** Runs a suite on every backend, open while its tests run. */
export function describeBackends(name: string, body: (backend: (typeof BACKENDS)[number]) => void): void {
  for (const backend of BACKENDS) {
    describe.skipIf(backend === 'webgpu' && !hasWebGpu)(`${name} on ${backend}`, () => {
      let device: Device | undefined;
      beforeAll(async () => {
        device = await openDevice({ backend });
      });
      afterAll(() => {
        device?.dispose();
      });
      body(backend);
    });
  }
}
