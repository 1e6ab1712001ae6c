import { createRequire } from 'node:module';
import type { Device } from '../device/device';
import { openDevice } from '../device/open-device';

/** What an H200 through Dawn on Vulkan says of itself. */
const LIMITS = {
  maxBufferSize: 2 ** 40,
  maxStorageBufferBindingSize: 2_147_483_644,
  maxStorageBuffersPerShaderStage: 16,
  maxUniformBufferBindingSize: 65_536,
  maxComputeWorkgroupStorageSize: 49_152,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupSizeY: 1024,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65_535,
};
const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
const SUBGROUPS = {
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  subgroupMatrixConfigs: [{ M: 16, N: 16, K: 16, componentType: 'f16', resultComponentType: 'f32' }],
};

const nothing = (): undefined => undefined;

/**
 * A GPU on paper: it runs nothing, takes everything, and says of itself what an H200 does, with its subgroup matrices or
 * without. What is asked of it can be looked at where there is no GPU.
 *
 * @param watch takes each device before it is used
 */
export function paperGpu(matrices: boolean, watch: (device: GPUDevice) => void = nothing): GPU {
  const features = new Set(matrices ? FEATURES : []);
  const info = {
    vendor: 'paper',
    architecture: matrices ? 'matrices' : 'plain',
    device: '',
    description: '',
    isFallbackAdapter: false,
    ...SUBGROUPS,
  };
  const requestDevice = async (): Promise<GPUDevice> => {
    const device = paperDevice(features, info);
    watch(device);
    return device;
  };
  const adapter = { features, limits: LIMITS, info, requestDevice } as unknown as GPUAdapter;
  return { requestAdapter: async () => adapter } as unknown as GPU;
}

/** Brings WebGPU's constants to a process that has none, and a GPU to where tfjs looks for it. */
export function announceGpu(gpu: GPU, { globals }: { readonly globals: object } = webgpuPackage()): void {
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  const host = (globalThis as { navigator?: object }).navigator;
  if (host === undefined) Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  else Object.defineProperty(host, 'gpu', { value: gpu, configurable: true });
}

/** Dawn's addon: the package webgpu, or a file. */
export function webgpuPackage(addon = 'webgpu'): { create(flags: string[]): GPU; readonly globals: object } {
  return createRequire(import.meta.url)(addon) as ReturnType<typeof webgpuPackage>;
}

/** Opens a device on paper; `takeShader` is told of every shader it is given. */
export async function openPaperDevice(
  matrices: boolean,
  takeShader: (label: string, code: string) => void,
): Promise<Device> {
  const gpu = paperGpu(matrices, (device) => {
    const createShaderModule = device.createShaderModule.bind(device);
    device.createShaderModule = (descriptor) => {
      takeShader(descriptor.label ?? '', descriptor.code);
      return createShaderModule(descriptor);
    };
  });
  announceGpu(gpu);
  return openDevice({ backend: 'webgpu', gpu });
}

function paperDevice(features: ReadonlySet<string>, adapterInfo: object): GPUDevice {
  const createBuffer = ({ label, size, usage, mappedAtCreation = false }: GPUBufferDescriptor): object => {
    let range: ArrayBuffer | undefined = mappedAtCreation ? new ArrayBuffer(size) : undefined;
    return {
      label,
      size,
      usage,
      get mapState() {
        return range === undefined ? 'unmapped' : 'mapped';
      },
      getMappedRange: () => range,
      unmap: () => void (range = undefined),
      mapAsync: async () => void (range = new ArrayBuffer(size)),
      destroy: nothing,
    };
  };
  const pipeline = (): object => ({ getBindGroupLayout: () => ({}) });
  return {
    features,
    limits: LIMITS,
    adapterInfo,
    lost: new Promise(nothing),
    queue: { submit: nothing, writeBuffer: nothing, onSubmittedWorkDone: async () => undefined },
    addEventListener: nothing,
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    destroy: nothing,
    createBuffer,
    createShaderModule: () => ({}),
    createComputePipeline: pipeline,
    createComputePipelineAsync: async () => pipeline(),
    createBindGroup: () => ({}),
    createQuerySet: () => ({ destroy: nothing }),
    createCommandEncoder: () => ({
      beginComputePass: () => ({
        setPipeline: nothing,
        setBindGroup: nothing,
        dispatchWorkgroups: nothing,
        end: nothing,
      }),
      copyBufferToBuffer: nothing,
      resolveQuerySet: nothing,
      finish: () => ({}),
    }),
  } as unknown as GPUDevice;
}
