import { setBackend } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe } from 'vitest';
import { openDevice, type Device } from '@qlora-js/kernels';

const BACKENDS = ['cpu', 'wasm', 'webgpu'] as const;

/** WebGPU, where it opens: on a GPU, or under tools/gpu/run.mjs. Kept for the file's suites. */
const webGpu: Device | undefined = await openDevice({ backend: 'webgpu' }).catch((error: unknown) => {
  if (process.env['CI']) throw error;
  console.warn(`webgpu is not tested: ${String(error)}`);
  return undefined;
});

/** Runs a suite on every backend, open while its tests run. */
export function describeBackends(name: string, body: (backend: (typeof BACKENDS)[number]) => void): void {
  for (const backend of BACKENDS) {
    describe.skipIf(backend === 'webgpu' && webGpu === undefined)(`${name} on ${backend}`, () => {
      let device: Device | undefined;
      beforeAll(async () => {
        if (backend === 'webgpu') await setBackend('webgpu');
        else device = await openDevice({ backend });
      });
      afterAll(() => {
        device?.dispose();
      });
      body(backend);
    });
  }
}
