import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { Device } from '../device/device';
import { openDevice } from '../device/open-device';
import { findAdapter } from '../device/webgpu-device';

const { adapter } = await findAdapter({});

/** Runs a suite on webgpu; skipped without an adapter, which CI never is. A GPU error fails the test that caused it. */
export function describeWebgpu(name: string, body: (device: () => Device) => void): void {
  describe.skipIf(adapter === undefined && process.env['CI'] === undefined)(name, () => {
    let device: Device | undefined;
    const gpuErrors: string[] = [];
    beforeAll(async () => {
      device = await openDevice({ backend: 'webgpu' });
      device.gpuDevice!.addEventListener('uncapturederror', ({ error }) => gpuErrors.push(error.message));
    });
    afterEach(async () => {
      await device!.synchronize();
      expect(gpuErrors.splice(0), 'errors of the GPU').toEqual([]);
    });
    afterAll(() => device?.dispose());
    body(() => device!);
  });
}
