import { engine, util, type DataType, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { flush, internalsOf, type BackendInternals } from './backend';
import { isPlanned, type BufferRef, type Command, type PlannedBuffer } from './commands';
import { constantBuffers, replaceBuffers } from './constants';
import { createRecorder } from './recording-device';

/** Shape and dtype of a tensor; a tensor is one. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

export interface RecordedTensor extends TensorSpec {
  readonly name: string;
}

export interface RecordedInput extends RecordedTensor {
  readonly buffer: PlannedBuffer;
}

export interface RecordedOutput extends RecordedTensor {
  readonly buffer: BufferRef;
}

/** A tensor from before the recording that the function reads or writes; it stays where it is. */
export interface PersistentTensor {
  readonly buffer: GPUBuffer;
  readonly dataId: object;
  /** The variable it belongs to, whose data may be replaced between runs. */
  readonly variable: Variable | undefined;
}

export interface Recording {
  readonly commands: readonly Command[];
  readonly inputs: readonly RecordedInput[];
  readonly outputs: readonly RecordedOutput[];
  /** What Variable.assign replaced: the buffer of the new value, and the variable. */
  readonly assignments: readonly {
    readonly source: BufferRef;
    readonly variable: Variable;
    readonly target: GPUBuffer;
  }[];
  readonly persistent: readonly PersistentTensor[];
}

/**
 * Runs a function once with a device that only writes down: no work reaches the GPU, no intermediate gets memory, and
 * no variable changes. Tensors from before the recording are uploaded where they were not.
 */
export function record(
  device: Device,
  run: (inputs: Record<string, Tensor>) => Record<string, Tensor>,
  specs: TensorSpecs,
): Recording {
  const backend = internalsOf(device);
  const { state } = engine() as unknown as { state: { registeredVariables: Record<string, Variable> } };
  const before = new Map(Object.values(state.registeredVariables).map((variable) => [variable, variable.dataId]));
  flush(backend);
  const capture = startCapture(backend, device.gpuDevice!);
  const created: Variable[] = [];
  try {
    engine().startScope('plan');
    let inputs: RecordedInput[];
    let outputs: RecordedOutput[];
    try {
      inputs = Object.entries(specs).map(([name, spec]) => ({
        name,
        ...checkSpec(name, spec),
        buffer: capture.newBuffer(spec),
      }));
      const tensors = Object.fromEntries(
        inputs.map(({ name, shape, dtype, buffer }) => [name, capture.tensor({ shape, dtype }, buffer)]),
      );
      const results = run(tensors);
      outputs = Object.entries(results).map(([name, tensor]) => {
        backend.uploadToGPU(tensor.dataId);
        const { shape, dtype } = tensor;
        return { name, shape, dtype, buffer: backend.tensorMap.get(tensor.dataId).resource as BufferRef };
      });
    } finally {
      engine().endScope();
      for (const variable of Object.values(state.registeredVariables))
        if (!before.has(variable)) created.push(variable);
    }
    if (created.length > 0) {
      throw new KernelError(
        'BAD_ARGUMENT',
        `the recorded function makes the variable ${created[0]!.name}, which a replay would make anew each time: make it before`,
      );
    }
    const assignments: { source: BufferRef; variable: Variable; target: GPUBuffer }[] = [];
    for (const [variable, dataId] of before) {
      if (variable.dataId === dataId) continue;
      backend.uploadToGPU(variable.dataId);
      backend.uploadToGPU(dataId);
      assignments.push({
        variable,
        source: backend.tensorMap.get(variable.dataId).resource as BufferRef,
        target: backend.tensorMap.get(dataId).resource as GPUBuffer,
      });
    }
    restoreVariables(before, backend);
    const kept = capture.finish();
    const variables = new Map([...before].map(([variable, dataId]) => [dataId, variable]));
    return {
      commands: replaceBuffers(capture.commands, kept),
      inputs,
      outputs: outputs.map((output) => ({ ...output, buffer: kept.get(output.buffer) ?? output.buffer })),
      assignments: assignments.map((assigned) => ({
        ...assigned,
        source: kept.get(assigned.source) ?? assigned.source,
      })),
      persistent: [...capture.persistent].map(([buffer, dataId]) => ({
        buffer,
        dataId,
        variable: variables.get(dataId),
      })),
    };
  } finally {
    for (const variable of created) variable.dispose();
    restoreVariables(before, backend);
    capture.stop();
  }
}

const DTYPES: readonly string[] = ['float32', 'int32', 'bool'];

function checkSpec(name: string, { shape, dtype }: TensorSpec): { shape: number[]; dtype: DataType } {
  if (!DTYPES.includes(dtype)) {
    throw new KernelError('BAD_DTYPE', `plan: input ${name} has dtype ${dtype}; inputs are ${DTYPES.join(', ')}`);
  }
  if (util.sizeFromShape([...shape]) === 0) {
    throw new KernelError('BAD_SHAPE', `plan: input ${name} has shape [${shape.join(', ')}], which holds nothing`);
  }
  return { shape: [...shape], dtype };
}

/** Undoes Variable.assign: the variable holds the data it held before. */
function restoreVariables(before: ReadonlyMap<Variable, object>, backend: BackendInternals): void {
  for (const [variable, dataId] of before) {
    if (variable.dataId === dataId) continue;
    const tfjs = engine() as unknown as {
      disposeTensor(tensor: Tensor): void;
      incRef(tensor: Tensor, backend: BackendInternals): void;
    };
    tfjs.disposeTensor(variable);
    (variable as { dataId: object }).dataId = dataId;
    tfjs.incRef(variable, backend);
  }
}

interface Capture {
  readonly commands: Command[];
  readonly persistent: ReadonlyMap<GPUBuffer, object>;
  newBuffer(spec: TensorSpec): PlannedBuffer;
  tensor(spec: TensorSpec, buffer: PlannedBuffer): Tensor;
  /** Ends what was begun; tensors that outlive the recording get real buffers, by the buffer they stand for. */
  finish(): Map<BufferRef, GPUBuffer>;
  /** Gives the backend back. */
  stop(): void;
}

/** Puts methods in an object's own; the function returned takes them away and brings back what they hid. */
function override<Target extends object>(target: Target, methods: Partial<Target>): () => void {
  const keys = Object.keys(methods);
  const hidden = keys.map((key) => Object.getOwnPropertyDescriptor(target, key));
  Object.assign(target, methods);
  return () => {
    keys.forEach((key, index) => {
      if (hidden[index] === undefined) Reflect.deleteProperty(target, key);
      else Object.defineProperty(target, key, hidden[index]);
    });
  };
}

const EXCHANGED = [
  'device',
  'queue',
  'bufferManager',
  'commandEncoder',
  'computePassEncoder',
  'dispatchCountInPass',
  'commandQueueOwnedIds',
  'tensorDataPendingDisposal',
  'uniformPendingDisposal',
  'stagingPendingDisposal',
] as const;

/** Puts the recording device, and a buffer manager that recycles nothing, in the backend's place for them. */
function startCapture(backend: BackendInternals, gpuDevice: GPUDevice): Capture {
  const kernels: string[] = [];
  const recorder = createRecorder(gpuDevice, () => kernels.at(-1) ?? '');
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const made = new WeakSet<object>();
  const onDevice = new Set<object>();
  const persistent = new Map<GPUBuffer, object>();
  const released: object[] = [];

  let aside: Pick<BackendInternals, (typeof EXCHANGED)[number]> = {
    device: recorder.device,
    queue: recorder.device.queue,
    bufferManager: {
      numBytesUsed: 0,
      numBytesAllocated: 0,
      acquireBuffer: (size: number, usage: number, mapped = false) => recorder.createBuffer(size, usage, mapped),
      releaseBuffer: () => undefined,
    },
    commandEncoder: null,
    computePassEncoder: null,
    dispatchCountInPass: 0,
    commandQueueOwnedIds: new WeakSet(),
    tensorDataPendingDisposal: [],
    uniformPendingDisposal: [],
    stagingPendingDisposal: [],
  };
  const exchange = (): void => {
    const held = Object.fromEntries(EXCHANGED.map((key) => [key, backend[key]])) as typeof aside;
    Object.assign(backend, aside);
    aside = held;
  };
  const onRealDevice = (work: () => void): void => {
    exchange();
    try {
      work();
      flush(backend);
    } finally {
      exchange();
    }
  };

  const write = backend.write.bind(backend);
  const uploadToGPU = backend.uploadToGPU.bind(backend);
  const disposeData = backend.disposeData.bind(backend);
  const noHostValues = (): never => {
    throw new KernelError(
      'BAD_ARGUMENT',
      'the recorded function reads values of a tensor on the host: a recording has none. Pass them as an input, or read an output after the run',
    );
  };
  const overrides: Partial<BackendInternals> = {
    write: (values, shape, dtype) => {
      const dataId = write(values, shape, dtype);
      made.add(dataId);
      return dataId;
    },
    uploadToGPU: (dataId) => {
      const data = backend.tensorMap.get(dataId);
      if (made.has(dataId)) {
        onDevice.add(dataId);
        uploadToGPU(dataId);
      } else {
        if (data.resource == null) onRealDevice(() => uploadToGPU(dataId));
        persistent.set(data.resource!, dataId);
      }
    },
    disposeData: (dataId, force) => {
      if (made.has(dataId) || !backend.tensorMap.has(dataId)) return disposeData(dataId, force);
      const data = backend.tensorMap.get(dataId);
      data.refCount = force === true ? 0 : data.refCount - 1;
      if (data.refCount <= 0) released.push(dataId);
      return false;
    },
    tensorToBinding: (tensor) =>
      tensor === null ? null : { buffer: backend.tensorMap.get(tensor.dataId).resource as GPUBuffer },
    readSync: (dataId) => backend.tensorMap.get(dataId).values ?? noHostValues(),
    read: async (dataId) => backend.tensorMap.get(dataId).values ?? noHostValues(),
  };
  const restore = override(backend, overrides);
  const tfjs = engine() as unknown as { runKernel(name: string, inputs: object, attrs?: object): unknown };
  const runKernel = tfjs.runKernel.bind(tfjs);
  const restoreEngine = override(tfjs, {
    runKernel: (name: string, inputs: object, attrs?: object) => {
      kernels.push(name);
      try {
        return runKernel(name, inputs, attrs);
      } finally {
        kernels.pop();
      }
    },
  });
  exchange();

  return {
    commands: recorder.commands,
    persistent,
    newBuffer: ({ shape }) => recorder.createBuffer(4 * util.sizeFromShape([...shape]), usage),
    tensor: ({ shape, dtype }, buffer) => {
      const dataId = backend.write(undefined, [...shape], dtype);
      backend.tensorMap.get(dataId).resource = buffer as unknown as GPUBuffer;
      onDevice.add(dataId);
      return engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype });
    },
    finish: () => {
      flush(backend);
      if (released.some((dataId) => backend.tensorMap.get(dataId).refCount <= 0)) {
        throw new KernelError(
          'BAD_ARGUMENT',
          'the recorded function disposes of a tensor made before it; keep it while the plan is used',
        );
      }
      const constants = constantBuffers(recorder.commands);
      const kept = new Map<BufferRef, GPUBuffer>();
      for (const dataId of onDevice) {
        if (!backend.tensorMap.has(dataId)) continue;
        const data = backend.tensorMap.get(dataId);
        const planned = data.resource as BufferRef | null;
        if (planned === null || !isPlanned(planned)) continue;
        const bytes = constants.get(planned);
        if (bytes === undefined) {
          throw new KernelError(
            'BAD_ARGUMENT',
            'the recorded function keeps a tensor that it computes, and a recording computes nothing: return it as an output, or compute it before',
          );
        }
        onRealDevice(() => {
          data.resource = null;
          uploadToGPU(dataId);
          backend.queue.writeBuffer(data.resource!, 0, bytes as Uint8Array<ArrayBuffer>);
        });
        kept.set(planned, data.resource!);
        persistent.set(data.resource!, dataId);
      }
      return kept;
    },
    stop: () => {
      flush(backend);
      for (const dataId of onDevice) {
        if (!backend.tensorMap.has(dataId)) continue;
        // What a failed recording left behind has no memory.
        const data = backend.tensorMap.get(dataId);
        if (data.resource != null && isPlanned(data.resource)) data.resource = null;
      }
      exchange();
      restore();
      restoreEngine();
    },
  };
}
