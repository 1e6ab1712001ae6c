import { KernelError } from '../errors';
import { pipelineInfo } from '../device/pipelines';
import { PlannedShader } from '../webgpu/pipelines';
import { hardwareOf, standInFor } from '../webgpu/hardware';
import { PlannedBuffer, type BufferRef, type Command, type RecordedBinding } from './commands';

interface RecordedBindGroup {
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly Omit<RecordedBinding, 'written'>[];
}

/** The part of GPUDevice, GPUQueue, GPUCommandEncoder and GPUComputePassEncoder that tfjs and our kernels use. */
export interface Recorder {
  readonly device: GPUDevice;
  readonly commands: Command[];
  /** A buffer without memory. */
  createBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation?: boolean): PlannedBuffer;
}

/**
 * A GPUDevice that writes down what is asked of it and runs nothing: buffers have no memory, and submitting does
 * nothing. Shader modules and pipelines are the real device's.
 *
 * @param kernelName the tfjs kernel being run, for labels
 */
export function createRecorder(hardware: GPUDevice, kernelName: () => string): Recorder {
  const commands: Command[] = [];
  let buffers = 0;
  const createBuffer = (size: number, usage: number, mappedAtCreation = false): PlannedBuffer => {
    const buffer: PlannedBuffer = new PlannedBuffer(buffers++, size, usage, mappedAtCreation, (bytes) =>
      commands.push({ kind: 'fill', target: buffer, offset: 0, bytes }),
    );
    return buffer;
  };
  const unsupported = (what: string) => (): never => {
    throw new KernelError('BAD_ARGUMENT', `a plan cannot record ${what}; run it outside the recorded function`);
  };

  const pass = (): object => {
    let pipeline: GPUComputePipeline | PlannedShader | undefined;
    let group: RecordedBindGroup | undefined;
    return {
      setPipeline: (next: GPUComputePipeline) => void (pipeline = next),
      setBindGroup: (index: number, next: RecordedBindGroup, dynamicOffsets?: readonly number[]) => {
        if (index !== 0 || (dynamicOffsets?.length ?? 0) > 0) unsupported('several bind groups or dynamic offsets')();
        group = next;
      },
      dispatchWorkgroups: (x: number, y = 1, z = 1) => {
        const planned = pipeline instanceof PlannedShader ? pipeline : undefined;
        const info = planned ?? pipelineInfo(pipeline as GPUComputePipeline);
        if (info === undefined) unsupported('a pipeline made before the device was opened by openDevice')();
        const { layout, bindings } = group!;
        commands.push({
          kind: 'dispatch',
          label: labelOf(kernelName(), info!.label),
          shader: planned ?? { pipeline: pipeline as GPUComputePipeline, layout },
          bindings: bindings.map((bound) => ({ ...bound, written: info!.written.has(bound.binding) })),
          workgroups: [x, y, z],
        });
      },
      dispatchWorkgroupsIndirect: unsupported('an indirect dispatch'),
      end: () => undefined,
    };
  };

  const encoder = {
    beginComputePass: pass,
    beginRenderPass: unsupported('a render pass'),
    copyBufferToBuffer: (
      source: BufferRef,
      sourceOffset: number,
      target: BufferRef,
      targetOffset: number,
      size: number,
    ) => void commands.push({ kind: 'copy', source, sourceOffset, target, targetOffset, size }),
    copyBufferToTexture: unsupported('a copy to a texture'),
    copyTextureToBuffer: unsupported('a copy from a texture'),
    clearBuffer: (target: BufferRef, offset = 0, size = target.size - offset) =>
      void commands.push({ kind: 'fill', target, offset, bytes: new Uint8Array(size) }),
    resolveQuerySet: unsupported('a query'),
    finish: () => ({}),
  };

  const queue = {
    submit: () => undefined,
    onSubmittedWorkDone: unsupported('waiting for the queue'),
    writeBuffer: (target: BufferRef, offset: number, data: ArrayBuffer | ArrayBufferView, start = 0, count?: number) =>
      void commands.push({ kind: 'fill', target, offset, bytes: copyBytes(data, start, count) }),
  };

  const recording = {
    get limits() {
      return hardware.limits;
    },
    get features() {
      return hardware.features;
    },
    queue,
    createBuffer: ({ size, usage, mappedAtCreation }: GPUBufferDescriptor) =>
      createBuffer(size, usage, mappedAtCreation),
    createBindGroup: ({ layout, entries }: GPUBindGroupDescriptor): RecordedBindGroup => ({
      layout,
      bindings: [...entries].map(({ binding, resource }) => {
        if (!('buffer' in resource)) return unsupported('a texture')();
        const { buffer, offset = 0, size } = resource as { buffer: BufferRef; offset?: number; size?: number };
        return { binding, buffer, offset, size };
      }),
    }),
    createCommandEncoder: () => encoder,
    createShaderModule: (descriptor: GPUShaderModuleDescriptor) => hardware.createShaderModule(descriptor),
    createComputePipeline: (descriptor: GPUComputePipelineDescriptor) => hardware.createComputePipeline(descriptor),
    createComputePipelineAsync: unsupported('parallel compilation'),
    createTexture: unsupported('a texture'),
    importExternalTexture: unsupported('a texture'),
    createQuerySet: unsupported('a query'),
  };
  const device = recording as unknown as GPUDevice;
  standInFor(device, hardwareOf(hardware));
  return { device, commands, createBuffer };
}

/** tfjs names its shaders by their class; its kernels' names say more. */
function labelOf(kernel: string, shader: string): string {
  return /Program\d*$/.test(shader) && kernel !== '' ? `${kernel} (${shader})` : shader;
}

/** GPUQueue.writeBuffer counts in elements of a typed array, and in bytes of a buffer. */
function copyBytes(data: ArrayBuffer | ArrayBufferView, start: number, count: number | undefined): Uint8Array {
  if (!ArrayBuffer.isView(data))
    return new Uint8Array(data.slice(start, count === undefined ? undefined : start + count));
  const width = 'BYTES_PER_ELEMENT' in data ? (data.BYTES_PER_ELEMENT as number) : 1;
  const length = count === undefined ? data.byteLength - start * width : count * width;
  return new Uint8Array(data.buffer, data.byteOffset + start * width, length).slice();
}
