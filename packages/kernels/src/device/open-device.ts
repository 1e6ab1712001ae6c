import { env, findBackend, setBackend, type KernelBackend } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { KernelError } from '../errors';
import { registerCoreGradients } from '../tfjs/core-gradients';
import { Device } from './device';
import { describeRuntime, nodeProcess } from './runtime';
import { BACKEND_NAMES, type DeviceInfo, type OpenDeviceOptions } from './types';
import { shareWasmClones } from '../tfjs/wasm-clones';
import { findAdapter, isSoftware, openWebgpu } from './webgpu-device';

/**
 * Opens a backend and makes it tfjs' current one. The choice is never changed in silence: a named backend that
 * cannot be had is an error, and `auto` says in one line when it finds no GPU and takes wasm.
 *
 * @throws KernelError NO_BACKEND where the named backend is missing, with the way to get it
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  const { backend = 'auto', log = (line: string) => console.warn(line) } = options;
  registerCoreGradients();
  switch (backend) {
    case 'auto': {
      const { adapter, reason } = await findAdapter(options);
      if (adapter !== undefined && !isSoftware(adapter)) return openWebgpu(adapter, options);
      log(
        `No GPU: ${adapter === undefined ? reason : `${adapter.info.architecture} is a software adapter`}; using wasm on the CPU.`,
      );
      return openWasm(options);
    }
    case 'webgpu': {
      const { adapter, reason } = await findAdapter(options);
      if (adapter === undefined) {
        throw new KernelError(
          'NO_BACKEND',
          `backend webgpu cannot be opened: ${reason}. Use backend 'wasm', or 'auto' to have it picked.`,
        );
      }
      return openWebgpu(adapter, options);
    }
    case 'wasm':
      return openWasm(options);
    case 'cpu':
      await import('@tensorflow/tfjs-backend-cpu');
      return openNamed('cpu', 'JavaScript on the CPU');
    case 'tensorflow':
      return openTensorflow();
    default:
      throw new KernelError(
        'BAD_ARGUMENT',
        `backend '${String(backend)}' is unknown; the backends are auto, ${BACKEND_NAMES.join(', ')}`,
      );
  }
}

async function openWasm({ wasmPaths }: OpenDeviceOptions): Promise<Device> {
  const tfjsWasm = await import('@tensorflow/tfjs-backend-wasm');
  // A page that is isolated from other origins would get tfjs' threaded build, whose memory our kernels can't share.
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  shareWasmClones();
  if (wasmPaths !== undefined) tfjsWasm.setWasmPaths(wasmPaths);
  return openNamed('wasm', 'WebAssembly SIMD on the CPU', {
    heapBytes: (backend) => (backend as BackendWasm & { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.byteLength,
    remedy:
      "tfjs fetches its .wasm files from beside its module. Bundlers leave them behind: have the page's server deliver " +
      'node_modules/@tensorflow/tfjs-backend-wasm/dist/*.wasm and pass their address as wasmPaths',
  });
}

/** tfjs-node-gpu where it is installed and loads, else tfjs-node; both download native code of their own. */
async function openTensorflow(): Promise<Device> {
  const failures: string[] = [];
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    try {
      await import(/* @vite-ignore */ name);
      return await openNamed('tensorflow', `TensorFlow through ${name}`);
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  throw new KernelError(
    'NO_BACKEND',
    `backend tensorflow cannot be opened (${failures.join('; ')}). Install @tensorflow/tfjs-node or @tensorflow/tfjs-node-gpu, or use another backend.`,
  );
}

async function openNamed(
  name: 'wasm' | 'cpu' | 'tensorflow',
  adapter: string,
  { heapBytes, remedy }: { heapBytes?: (backend: KernelBackend) => number; remedy?: string } = {},
): Promise<Device> {
  if (!(await setBackend(name))) {
    const what = `backend ${name} is registered but did not initialise`;
    throw new KernelError('NO_BACKEND', remedy === undefined ? what : `${what}: ${remedy}`);
  }
  const tfjsBackend = findBackend(name);
  const info: DeviceInfo = {
    backend: name,
    runtime: describeRuntime(),
    adapter,
    driver: nodeProcess() === undefined ? 'browser' : 'none',
    features: [],
    limits: {},
    computeDtype: 'float32',
    software: false,
  };
  return new Device(info, tfjsBackend, undefined, () => heapBytes?.(tfjsBackend) ?? 0);
}
