import { env, findBackendFactory, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { KernelError } from '../errors';
import { internalsOf } from '../tfjs/backend';
import { shareBuffers } from '../tfjs/together';
import { noteAdapter } from '../webgpu/capabilities';
import { BufferLedger } from './buffer-ledger';
import { Device } from './device';
import { FailureWatch } from './failure';
import { watchPipelines } from './pipelines';
import { describeRuntime, nodeProcess } from './runtime';
import type { DeviceInfo, OpenDeviceOptions } from './types';

/** Asked for where the adapter has them; each changes which kernels run or what can be measured. */
const WANTED_FEATURES = [
  'shader-f16',
  'subgroups',
  'chromium-experimental-subgroup-matrix',
  'timestamp-query',
] as const;

const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** NVIDIA on Vulkan shows no shader-f16 without the second; the third lifts a clamp from subgroup-matrix loads. */
const DAWN_TOGGLES = [
  'allow_unsafe_apis',
  'vulkan_enable_f16_on_nvidia',
  'vulkan_use_cooperative_matrix_robust_access',
  // Our kernels write workgroup memory before they read it; clearing it first made some shaders 10 times slower to compile.
  'disable_workgroup_init',
];

interface DawnModule {
  create(flags: string[]): GPU;
  readonly globals: Record<string, unknown>;
}

/** The adapter WebGPU offers, or undefined with the reason where there is none. */
export async function findAdapter(options: OpenDeviceOptions): Promise<{ adapter?: GPUAdapter; reason: string }> {
  let gpu: GPU | undefined = options.gpu;
  if (gpu === undefined && nodeProcess() !== undefined) {
    try {
      gpu = await dawnInNode(options);
    } catch (error) {
      return { reason: `WebGPU needs the package webgpu in Node (npm install webgpu): ${(error as Error).message}` };
    }
  }
  gpu ??= typeof navigator === 'undefined' ? undefined : navigator.gpu;
  if (gpu === undefined) return { reason: 'this runtime has no navigator.gpu' };
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  return adapter === null ? { reason: 'WebGPU found no adapter' } : { adapter, reason: '' };
}

export function isSoftware(adapter: GPUAdapter): boolean {
  const { vendor, architecture, description } = adapter.info;
  return (
    adapter.info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${vendor} ${architecture} ${description}`)
  );
}

let dawn: GPU | undefined;

/** Makes Dawn's addon `navigator.gpu`: tfjs-backend-webgpu looks for it there when it is imported. */
async function dawnInNode({ dawnAddon, dawnToggles = [] }: OpenDeviceOptions): Promise<GPU> {
  if (dawn !== undefined) return dawn;
  const addon = dawnAddon ?? nodeProcess()?.env['QLORA_DAWN_NODE'];
  let dawnModule: DawnModule;
  if (addon === undefined) {
    const name = 'webgpu';
    dawnModule = (await import(/* @vite-ignore */ name)) as DawnModule;
  } else {
    // Not imported, so that bundlers for browsers don't meet the module.
    const { createRequire } = nodeProcess()!.getBuiltinModule('node:module');
    dawnModule = createRequire(addon)(addon) as DawnModule;
  }
  for (const [name, value] of Object.entries(dawnModule.globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  dawn = dawnModule.create([
    `enable-dawn-features=${[...DAWN_TOGGLES, ...dawnToggles].join(',')}`,
    // Timestamps in steps of 65.5 us, meant to keep web pages from telling time, are of no use to a profile.
    'disable-dawn-features=timestamp_quantization',
  ]);
  const host = (globalThis as { navigator?: object }).navigator;
  if (host === undefined) Object.defineProperty(globalThis, 'navigator', { value: { gpu: dawn }, configurable: true });
  else Object.defineProperty(host, 'gpu', { value: dawn, configurable: true });
  return dawn;
}

/** Opens the adapter with every feature and limit we use and hands the GPUDevice to tfjs. */
export async function openWebgpu(
  adapter: GPUAdapter,
  { withoutFeatures = [] }: Pick<OpenDeviceOptions, 'withoutFeatures'> = {},
): Promise<Device> {
  const features = WANTED_FEATURES.filter((name) => adapter.features.has(name) && !withoutFeatures.includes(name));
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  let gpuDevice: GPUDevice;
  try {
    gpuDevice = await adapter.requestDevice({ requiredFeatures: features as GPUFeatureName[], requiredLimits });
  } catch (error) {
    throw new KernelError(
      'NO_BACKEND',
      `the adapter ${describeAdapter(adapter)} gave no device: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  noteAdapter(gpuDevice, adapter.info);
  const ledger = new BufferLedger();
  ledger.watchDevice(gpuDevice);
  watchPipelines(gpuDevice);
  const failures = new FailureWatch(gpuDevice);
  const tfjsWebgpu = await import('@tensorflow/tfjs-backend-webgpu');
  // The automatic registration asks for a feature list that only Chrome accepts, and for none that we need.
  if (findBackendFactory('webgpu') !== null) removeBackend('webgpu');
  // Forwarding small inputs to the CPU would move results behind the back of a recorded step.
  env().set('WEBGPU_CPU_FORWARD', false);
  let backend: WebGPUBackend | undefined;
  registerBackend('webgpu', () => (backend = new tfjsWebgpu.WebGPUBackend(gpuDevice, adapter.info)), 1);
  await setBackend('webgpu');
  const info: DeviceInfo = {
    backend: 'webgpu',
    runtime: describeRuntime(),
    adapter: describeAdapter(adapter),
    driver: adapter.info.description,
    features: features.map(String),
    limits: requiredLimits,
    computeDtype: gpuDevice.features.has('shader-f16') ? 'float16' : 'float32',
    software: isSoftware(adapter),
  };
  const opened = backend!;
  ledger.watchBackend(opened);
  shareBuffers(internalsOf(opened));
  return new Device(info, opened, gpuDevice, () => ledger.held.currentBytes, { ledger, failures });
}

function describeAdapter(adapter: GPUAdapter): string {
  const { vendor, architecture, device } = adapter.info;
  return [vendor, architecture, device].filter((part) => part !== '').join(' ') || 'unnamed adapter';
}
