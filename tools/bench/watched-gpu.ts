import { createHash } from 'node:crypto';
import { announceGpu, paperGpu, webgpuPackage } from '../../packages/kernels/src/testing/paper-gpu';

/** One dispatch as it reached a command encoder. */
export interface SeenDispatch {
  readonly label: string;
  /** Of the shader's text. */
  readonly shader: string;
  readonly workgroups: readonly number[];
  readonly bindings: readonly SeenBinding[];
}

/** A buffer that a dispatch was given. */
export interface SeenBinding {
  readonly binding: number;
  /** Number of the buffer, by first use. */
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
  /** Of what the host wrote there, where it is small: uniforms and constants. */
  readonly content?: string;
}

/** A copy between buffers as it reached a command encoder. */
export interface SeenCopy {
  readonly copy: readonly number[];
}

const short = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex').slice(0, 16);

/** What bindings are hashed up to; larger ones are data. */
const SMALL = 4096;
/** Bytes of a written buffer that are held to be hashed. */
const LARGEST = 1 << 20;

/** Watches a GPUDevice: texts of its shaders, and what is encoded between `start` and `stop`. */
export class Watch {
  /** Text by hash. */
  readonly shaders = new Map<string, { label: string; code: string }>();
  private readonly modules = new WeakMap<object, string>();
  private readonly pipelines = new WeakMap<object, { label: string; shader: string }>();
  private readonly groups = new WeakMap<object, readonly GPUBindGroupEntry[]>();
  private readonly contents = new WeakMap<object, Uint8Array>();
  private numbers = new Map<object, number>();
  private seen: (SeenDispatch | SeenCopy)[] | undefined;

  /** Before openDevice puts wrappers of its own around the device. */
  watch(device: GPUDevice): void {
    const { queue } = device;
    const createShaderModule = device.createShaderModule.bind(device);
    const createComputePipeline = device.createComputePipeline.bind(device);
    const createBindGroup = device.createBindGroup.bind(device);
    const createBuffer = device.createBuffer.bind(device);
    const writeBuffer = queue.writeBuffer.bind(queue) as (...args: unknown[]) => void;
    const createCommandEncoder = device.createCommandEncoder.bind(device);
    device.createShaderModule = (descriptor) => {
      const module = createShaderModule(descriptor);
      const hash = short(descriptor.code);
      this.shaders.set(hash, { label: descriptor.label ?? '', code: descriptor.code });
      this.modules.set(module, hash);
      return module;
    };
    device.createComputePipeline = (descriptor) => {
      const pipeline = createComputePipeline(descriptor);
      const shader = this.modules.get(descriptor.compute.module) ?? '';
      this.pipelines.set(pipeline, { label: descriptor.label ?? this.shaders.get(shader)?.label ?? '', shader });
      return pipeline;
    };
    device.createBindGroup = (descriptor) => {
      const group = createBindGroup(descriptor);
      this.groups.set(group, [...descriptor.entries]);
      return group;
    };
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer(descriptor);
      if (descriptor.mappedAtCreation === true && descriptor.size <= SMALL) {
        const range = buffer.getMappedRange();
        const unmap = buffer.unmap.bind(buffer);
        buffer.getMappedRange = () => range;
        buffer.unmap = () => {
          this.contents.set(buffer, new Uint8Array(range).slice());
          unmap();
          return undefined;
        };
      }
      return buffer;
    };
    queue.writeBuffer = (...args: unknown[]) => {
      const [buffer, offset, data] = args as [object, number, ArrayBuffer | ArrayBufferView];
      if (offset === 0 && args.length === 3) {
        const bytes = ArrayBuffer.isView(data)
          ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
          : new Uint8Array(data);
        this.contents.set(buffer, bytes.slice(0, LARGEST));
      } else {
        this.contents.delete(buffer);
      }
      writeBuffer(...args);
      return undefined;
    };
    device.createCommandEncoder = (descriptor) => {
      const encoder = createCommandEncoder(descriptor);
      this.watchEncoder(encoder);
      return encoder;
    };
  }

  start(): void {
    this.seen = [];
    this.numbers = new Map();
  }

  stop(): (SeenDispatch | SeenCopy)[] {
    const seen = this.seen ?? [];
    this.seen = undefined;
    return seen;
  }

  private watchEncoder(encoder: GPUCommandEncoder): void {
    const beginComputePass = encoder.beginComputePass.bind(encoder);
    const copyBufferToBuffer = encoder.copyBufferToBuffer.bind(encoder) as (...args: unknown[]) => void;
    encoder.copyBufferToBuffer = (...args: unknown[]) => {
      const [source, sourceOffset, target, targetOffset, size] = args as [object, number, object, number, number];
      this.seen?.push({ copy: [this.numberOf(source), sourceOffset, this.numberOf(target), targetOffset, size] });
      copyBufferToBuffer(...args);
      return undefined;
    };
    encoder.beginComputePass = (descriptor) => {
      const pass = beginComputePass(descriptor);
      const setPipeline = pass.setPipeline.bind(pass);
      const setBindGroup = pass.setBindGroup.bind(pass) as (...args: unknown[]) => void;
      const dispatchWorkgroups = pass.dispatchWorkgroups.bind(pass);
      let pipeline: object | undefined;
      let group: object | undefined;
      pass.setPipeline = (next) => {
        setPipeline((pipeline = next));
        return undefined;
      };
      pass.setBindGroup = (...args: unknown[]) => {
        group = args[1] as object;
        setBindGroup(...args);
        return undefined;
      };
      pass.dispatchWorkgroups = (x, y = 1, z = 1) => {
        const bindings = [...(this.groups.get(group!) ?? [])].map((entry) => this.binding(entry));
        this.seen?.push({ ...this.pipelines.get(pipeline!)!, workgroups: [x, y, z], bindings });
        dispatchWorkgroups(x, y, z);
        return undefined;
      };
      return pass;
    };
  }

  private numberOf(buffer: object): number {
    let number = this.numbers.get(buffer);
    if (number === undefined) this.numbers.set(buffer, (number = this.numbers.size));
    return number;
  }

  private binding({ binding, resource }: GPUBindGroupEntry): SeenBinding {
    const { buffer, offset = 0, size } = resource as { buffer: GPUBuffer; offset?: number; size?: number };
    const bytes = size ?? buffer.size - offset;
    const content = this.contents.get(buffer)?.subarray(offset, offset + bytes);
    const known = content !== undefined && bytes <= SMALL && content.length === bytes;
    const seen = { binding, buffer: this.numberOf(buffer), offset, bytes };
    return known ? { ...seen, content: short(content) } : seen;
  }
}

/** A GPU and what is seen of its devices. */
export interface WatchedGpu {
  readonly gpu: GPU;
  readonly watch: Watch;
}

/**
 * A GPU whose devices are watched: Dawn's own, or one on paper, which runs nothing and says of itself what an H200 does,
 * with its subgroup matrices or without.
 */
export function watchedGpu(kind: 'real' | 'matrices' | 'plain', addon?: string): WatchedGpu {
  const dawn = webgpuPackage(addon);
  const watch = new Watch();
  const gpu = kind === 'real' ? realGpu(dawn, watch) : paperGpu(kind === 'matrices', (device) => watch.watch(device));
  announceGpu(gpu, dawn);
  return { gpu, watch };
}

function realGpu(module: ReturnType<typeof webgpuPackage>, watch: Watch): GPU {
  const dawn = module.create([
    'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,vulkan_use_cooperative_matrix_robust_access,disable_workgroup_init',
  ]);
  const requestAdapter = async (): Promise<GPUAdapter | null> => {
    const adapter = await dawn.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) return null;
    const { features, limits, info } = adapter;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> => {
      const device = await adapter.requestDevice(descriptor);
      watch.watch(device);
      return device;
    };
    return { features, limits, info, requestDevice } as unknown as GPUAdapter;
  };
  return { requestAdapter } as unknown as GPU;
}
