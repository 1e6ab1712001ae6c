import { writtenBindings } from '../webgpu/shader';

/** What a compute pipeline's WGSL says about it. */
export interface PipelineInfo {
  readonly label: string;
  /** Bindings of group 0 that the shader may write. */
  readonly written: ReadonlySet<number>;
}

const pipelines = new WeakMap<GPUComputePipeline, PipelineInfo>();

/** What is known of a pipeline made by a device that `watchPipelines` watches. */
export function pipelineInfo(pipeline: GPUComputePipeline): PipelineInfo | undefined {
  return pipelines.get(pipeline);
}

/** Keeps, for every pipeline the device makes from now on, its label and which bindings its shader writes. */
export function watchPipelines(device: GPUDevice): void {
  const modules = new WeakMap<GPUShaderModule, PipelineInfo>();
  const createShaderModule = device.createShaderModule.bind(device);
  const createComputePipeline = device.createComputePipeline.bind(device);
  const createComputePipelineAsync = device.createComputePipelineAsync.bind(device);
  const remember = (pipeline: GPUComputePipeline, { label, compute }: GPUComputePipelineDescriptor) => {
    const info = modules.get(compute.module);
    if (info !== undefined) pipelines.set(pipeline, { ...info, label: label ?? info.label });
    return pipeline;
  };
  device.createShaderModule = (descriptor) => {
    const module = createShaderModule(descriptor);
    modules.set(module, { label: descriptor.label ?? 'shader', written: writtenBindings(descriptor.code) });
    return module;
  };
  device.createComputePipeline = (descriptor) => remember(createComputePipeline(descriptor), descriptor);
  device.createComputePipelineAsync = async (descriptor) =>
    remember(await createComputePipelineAsync(descriptor), descriptor);
}
