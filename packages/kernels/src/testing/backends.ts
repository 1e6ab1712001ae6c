import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { Device } from '../device/device';
import { openDevice } from '../device/open-device';
import { findAdapter } from '../device/webgpu-device';
import { writeErrorRecords } from './error-records';

/** One backend under test; the device is open while the tests of its suite run. */
export interface TestBackend {
  readonly name: 'cpu' | 'wasm' | 'webgpu';
  readonly device: Device;
}

/** Without it Dawn clears workgroup memory, which SwiftShader compiles into one store an element: seconds a shader. */
const dawnToggles = ['disable_workgroup_init'];

const { adapter, reason } = await findAdapter({ dawnToggles });
if (adapter === undefined) {
  if (process.env['CI']) throw new Error(`No WebGPU adapter (${reason}): run the tests through tools/gpu/run.mjs.`);
  console.warn(`webgpu is not tested: ${reason}. tools/gpu/run.mjs brings a software GPU.`);
}

/**
 * Runs a suite on cpu, wasm and webgpu, each opened before its tests and closed after them. Without an adapter the
 * webgpu suite is skipped with a line that says so; CI fails instead.
 */
export function describeBackends(name: string, body: (backend: TestBackend) => void): void {
  for (const backendName of ['cpu', 'wasm', 'webgpu'] as const) {
    describe.skipIf(backendName === 'webgpu' && adapter === undefined)(`${name} on ${backendName}`, () => {
      let device: Device | undefined;
      const gpuErrors: string[] = [];
      beforeAll(async () => {
        device = await openDevice({ backend: backendName, dawnToggles });
        device.gpuDevice?.addEventListener('uncapturederror', ({ error }) => gpuErrors.push(error.message));
      });
      afterEach(async () => {
        await device?.synchronize();
        expect(gpuErrors.splice(0), 'errors of the GPU').toEqual([]);
      });
      afterAll(async () => {
        device?.dispose();
        await writeErrorRecords();
      });
      body({
        name: backendName,
        get device() {
          if (device === undefined) throw new Error(`${backendName} is open only while the tests of its suite run`);
          return device;
        },
      });
    });
  }
}
