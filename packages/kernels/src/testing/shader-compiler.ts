import { createRequire } from 'node:module';

interface DawnModule {
  create(flags: string[]): GPU;
  readonly globals: object;
}

export interface ShaderCompiler {
  /** What Dawn has to say against a shader: nothing where it is valid. */
  messages(code: string): Promise<string[]>;
  dispose(): void;
}

/** Dawn's null backend, which checks WGSL against any features without a GPU. */
export async function openShaderCompiler(features: readonly string[]): Promise<ShaderCompiler> {
  const module = createRequire(import.meta.url)('webgpu') as DawnModule;
  for (const [name, value] of Object.entries(module.globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  let dawn: GPU | undefined = module.create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  const adapter = await dawn.requestAdapter();
  const gpuDevice = await adapter!.requestDevice({
    requiredFeatures: features as GPUFeatureName[],
    requiredLimits: { maxComputeWorkgroupStorageSize: adapter!.limits.maxComputeWorkgroupStorageSize },
  });
  return {
    messages: async (code) => {
      gpuDevice.pushErrorScope('validation');
      const { messages } = await gpuDevice.createShaderModule({ code }).getCompilationInfo();
      const error = await gpuDevice.popErrorScope();
      return [...messages.map(({ message }) => message), ...(error === null ? [] : [error.message])];
    },
    dispose: () => {
      gpuDevice.destroy();
      dawn = undefined;
    },
  };
}
