import { util, type DataType, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { KernelError } from '../errors';
import { internalsOf, placeOf, type BackendInternals, type TensorPlace } from '../tfjs/backend';
import { encodeDispatch } from '../tfjs/encode';
import { hardwareOf } from './hardware';
import { compiledShader, plannedShader, type Compiled, type PlannedShader } from './pipelines';
import { activeProfile } from './profile';
import type { Bound, BufferTensors, BufferTypes, UniformTypes, UniformValues } from './layout';
import type { Shader } from './shader';
import { uniformBuffer } from './uniforms';

/** One run of a shader. */
export interface Dispatch<Uniforms extends UniformTypes, Buffers extends BufferTypes> {
  readonly shader: Shader<Uniforms, Buffers>;
  /** Tensors by the names of the layout's buffers, inputs and outputs alike. */
  readonly buffers: BufferTensors<Buffers>;
  /**
   * Numbers by the names of the layout's uniforms. Buffers of equal words are shared and never rewritten: a value that
   * changes from step to step belongs in a tensor.
   */
  readonly uniforms: UniformValues<Uniforms>;
  /** Workgroups by dimension; see `spread` for counts that may pass the limit of one dimension. */
  readonly workgroups: readonly [number, number, number];
}

/** An uninitialised tensor for a shader to fill; an empty one needs no dispatch. */
export function makeOutput(backend: WebGPUBackend, shape: number[], dtype: DataType = 'float32'): TensorInfo {
  const empty = util.sizeFromShape(shape) === 0;
  return backend.makeTensorInfo(shape, dtype, empty ? util.getTypedArrayFromDType(dtype as 'float32', 0) : undefined);
}

/**
 * Records one shader run into tfjs' command encoder. Nothing waits: results are there for the next dispatch, and
 * errors of the GPU come through the device's `uncapturederror`.
 *
 * @throws KernelError BAD_SHAPE where a dimension holds more workgroups than the device takes, or a tensor is larger
 *   than one binding may be
 */
export function dispatch<Uniforms extends UniformTypes, Buffers extends BufferTypes>(
  tfjsBackend: WebGPUBackend,
  { shader, buffers, uniforms, workgroups }: Dispatch<Uniforms, Buffers>,
): void {
  if (workgroups.includes(0)) return;
  const { label, code, layout: declared } = shader;
  const backend = internalsOf(tfjsBackend);
  const { device } = backend;
  // While a plan is recorded, `device` stands in for the real one, to which pipelines and uniforms belong.
  const hardware = hardwareOf(device);
  checkLimits(device, label, workgroups);
  const planned = plannedShader(label, code, shader.joining);
  const { pipeline, layout } = device === hardware ? compiledShader(hardware, planned) : standIns(planned);
  const bound = declared.bind(label, buffers);
  const resources = bound.map((tensors) => boundPlace(backend, label, tensors));
  const words = declared.words(uniforms);
  if (words !== undefined) resources.push({ buffer: uniformBuffer(hardware, words), offset: 0, size: undefined });
  const bindGroup = device.createBindGroup({
    label,
    layout,
    entries: resources.map(({ buffer, offset, size }, binding) => ({
      binding,
      resource: size === undefined ? { buffer } : { buffer, offset, size },
    })),
  });
  const tensors = bound.flatMap((tensor) => ('inOne' in tensor ? tensor.inOne : [tensor]));
  const pass = activeProfile(device)?.nextPass(label);
  encodeDispatch(backend, { pipeline, bindGroup, workgroups, tensors, pass });
}

/** What stands for a shader's pipeline and layout while a plan is recorded. */
const standIns = (shader: PlannedShader): Compiled => ({
  pipeline: shader as unknown as GPUComputePipeline,
  layout: shader as unknown as GPUBindGroupLayout,
});

function checkLimits(device: GPUDevice, label: string, workgroups: readonly number[]): void {
  const { maxComputeWorkgroupsPerDimension: limit } = device.limits;
  if (workgroups.some((count) => count > limit)) {
    throw new KernelError(
      'BAD_SHAPE',
      `${label}: ${workgroups.join(' x ')} workgroups, but the device takes ${limit} in one dimension`,
    );
  }
}

/** What is bound, uploaded or allocated where it is not there; an empty tensor gets a few bytes nobody reads. */
function boundPlace(backend: BackendInternals, label: string, bound: Bound): TensorPlace {
  if ('inOne' in bound) {
    const [first] = bound.inOne.map(({ dataId }) => placeOf(backend, dataId));
    return { buffer: first!.buffer, offset: 0, size: undefined };
  }
  const size = util.sizeFromShape(bound.shape);
  if (size === 0) return { buffer: emptyBuffer(hardwareOf(backend.device)), offset: 0, size: undefined };
  const { maxStorageBufferBindingSize: limit } = backend.device.limits;
  if (size * 4 > limit) {
    throw new KernelError(
      'BAD_SHAPE',
      `${label}: a tensor [${bound.shape.join(', ')}] takes ${size * 4} bytes, but the device binds ${limit} at most`,
    );
  }
  return placeOf(backend, bound.dataId);
}

const emptyBuffers = new WeakMap<GPUDevice, GPUBuffer>();

function emptyBuffer(device: GPUDevice): GPUBuffer {
  let buffer = emptyBuffers.get(device);
  if (buffer === undefined) {
    buffer = device.createBuffer({ label: 'empty tensor', size: 16, usage: GPUBufferUsage.STORAGE });
    emptyBuffers.set(device, buffer);
  }
  return buffer;
}
