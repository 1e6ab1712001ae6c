import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { Device } from '../device/device';
import { openDevice } from '../device/open-device';
import { findAdapter } from '../device/webgpu-device';
import { hasSubgroupMatrices } from '../webgpu/capabilities';
import { emulateSubgroupMatrices } from './emulated-matrices';
import { writeErrorRecords } from './error-records';

/** One backend under test; the device is open while the tests of its suite run. */
export interface TestBackend {
  readonly name: 'cpu' | 'wasm' | 'webgpu';
  readonly device: Device;
  /** Whether products run on subgroup matrices, the GPU's own or emulated: their factors are float16. */
  readonly matrices: boolean;
  /** Whether those are emulated. */
  readonly emulated: boolean;
}

export interface SuiteOptions {
  /** Default: all of them. */
  readonly backends?: readonly TestBackend['name'][];
  /** Also runs the suite on webgpu with subgroup matrices emulated, for ops that have kernels on them. */
  readonly matrices?: boolean;
}

/** Without it Dawn clears workgroup memory, which SwiftShader compiles into one store an element: seconds a shader. */
const dawnToggles = ['disable_workgroup_init'];

const { adapter, reason } = await findAdapter({ dawnToggles });
if (adapter === undefined) {
  if (process.env['CI']) throw new Error(`No WebGPU adapter (${reason}): run the tests through tools/gpu/run.mjs.`);
  console.warn(`webgpu is not tested: ${reason}. tools/gpu/run.mjs brings a software GPU.`);
}

/**
 * Runs a suite on each backend, opened before its tests and closed after them. Without an adapter the
 * webgpu suite is skipped with a line that says so; CI fails instead.
 */
export function describeBackends(
  name: string,
  body: (backend: TestBackend) => void,
  { backends = ['cpu', 'wasm', 'webgpu'], matrices = false }: SuiteOptions = {},
): void {
  for (const backendName of backends) suite(name, backendName, false, body);
  if (matrices) suite(`${name}, subgroup matrices emulated,`, 'webgpu', true, body);
}

function suite(
  name: string,
  backendName: TestBackend['name'],
  emulated: boolean,
  body: (backend: TestBackend) => void,
): void {
  describe.skipIf(backendName === 'webgpu' && adapter === undefined)(`${name} on ${backendName}`, () => {
    let device: Device | undefined;
    const gpuErrors: string[] = [];
    beforeAll(async () => {
      device = await openDevice({ backend: backendName, dawnToggles });
      device.gpuDevice?.addEventListener('uncapturederror', ({ error }) => gpuErrors.push(error.message));
      if (emulated) emulateSubgroupMatrices(device.gpuDevice!);
    });
    afterEach(async () => {
      await device?.synchronize();
      expect(gpuErrors.splice(0), 'errors of the GPU').toEqual([]);
    });
    afterAll(async () => {
      device?.dispose();
      await writeErrorRecords();
    });
    const open = (): Device => {
      if (device === undefined) throw new Error(`${backendName} is open only while the tests of its suite run`);
      return device;
    };
    body({
      name: backendName,
      emulated,
      get device() {
        return open();
      },
      get matrices() {
        const { gpuDevice } = open();
        return gpuDevice !== undefined && hasSubgroupMatrices(gpuDevice);
      },
    });
  });
}
