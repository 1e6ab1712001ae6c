import { setBackend } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe } from 'vitest';
import { openDevice, type Device } from '@qlora-js/kernels';

export type TestBackend = 'cpu' | 'wasm' | 'webgpu';

/** WebGPU, where it opens: on a GPU, or under tools/gpu/run.mjs. Kept for the file's suites. */
const webGpu: Device | undefined = await openDevice({ backend: 'webgpu' }).catch((error: unknown) => {
  if (process.env['CI']) throw error;
  console.warn(`webgpu is not tested: ${String(error)}`);
  return undefined;
});

/** Runs a suite on each backend, open while its tests run. */
export function describeBackends(
  name: string,
  body: (backend: TestBackend, device: () => Device) => void,
  backends: readonly TestBackend[] = ['cpu', 'wasm', 'webgpu'],
): void {
  for (const backend of backends) {
    describe.skipIf(backend === 'webgpu' && webGpu === undefined)(`${name} on ${backend}`, () => {
      let device: Device | undefined;
      beforeAll(async () => {
        device = backend === 'webgpu' ? webGpu : await openDevice({ backend });
        if (backend === 'webgpu') await setBackend('webgpu');
      });
      afterAll(() => {
        if (backend !== 'webgpu') device?.dispose();
      });
      body(backend, () => device!);
    });
  }
}
