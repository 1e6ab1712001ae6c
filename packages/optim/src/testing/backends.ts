import { setBackend, variable, tensor, type Variable } from '@tensorflow/tfjs-core';
import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe } from 'vitest';
import type { NamedVariable } from '../groups/groups';

export type BackendName = 'cpu' | 'wasm' | 'webgpu';

/** Opened once a test file; undefined where there is no adapter, which CI does not accept. */
const gpu: Device | undefined = await openDevice({ backend: 'webgpu' }).catch((error: unknown) => {
  if (process.env['CI']) throw error;
  console.warn(`webgpu is not tested: ${String(error)}. tools/gpu/run.mjs brings a software GPU.`);
  return undefined;
});

/** Runs a suite on cpu, wasm and webgpu. */
export function describeBackends(name: string, body: (backend: BackendName) => void): void {
  for (const backend of ['cpu', 'wasm', 'webgpu'] as const) {
    describe.skipIf(backend === 'webgpu' && gpu === undefined)(`${name} on ${backend}`, () => {
      let device: Device | undefined;
      beforeAll(async () => {
        if (backend === 'webgpu') await setBackend('webgpu');
        else device = await openDevice({ backend });
      });
      afterAll(() => device?.dispose());
      body(backend);
    });
  }
}

/** A trained variable that shares its data with no other tensor. */
export function trained(values: Float32Array, shape: readonly number[] = [values.length]): Variable {
  const initial = tensor(values, [...shape]);
  const made = variable(initial, true);
  initial.dispose();
  return made;
}

/** Values that differ from element to element, with no generator behind them. */
export function wave(size: number, phase: number, amplitude = 1): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => amplitude * Math.sin(phase + 1.7 * i + 0.01 * i * i));
}

/** Parameters of these sizes, named p0, p1, ... */
export function parametersOf(sizes: readonly number[]): NamedVariable[] {
  return sizes.map((size, index) => ({ name: `p${index}`, variable: trained(wave(size, index)) }));
}
