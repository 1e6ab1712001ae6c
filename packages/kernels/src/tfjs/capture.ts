import { engine, type DataType, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { flush, placeOf, type BackendInternals, type BufferManager } from './backend';

/** What takes the place of the hardware while a function is recorded. */
export interface StandIn {
  readonly device: GPUDevice;
  /** A buffer for tfjs' buffer manager to hand out; none is recycled. */
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mapped: boolean): object;
  /** Says that values of a tensor are asked for, which a recording has none of. */
  noHostValues(): never;
}

/** tfjs' webgpu backend on a stand-in for its device: what it issues reaches no GPU. */
export interface Capture {
  /** Tensors from before that were used, and their buffers. */
  readonly persistent: ReadonlyMap<object, GPUBuffer>;
  /** The tfjs kernel that runs now, '' where none does. */
  kernelName(): string;
  /** A tensor on a buffer of the stand-in's. */
  tensor(spec: { readonly shape: readonly number[]; readonly dtype: DataType }, buffer: object): Tensor;
  /** Whether a tensor from before has been disposed of. */
  disposedOfOlder(): boolean;
  /** Tensors made since that are still there, and their buffers. */
  survivors(): { readonly dataId: object; readonly buffer: object }[];
  /** Gives a survivor a real buffer with these bytes; it counts as from before then. */
  realise(dataId: object, bytes: Uint8Array<ArrayBuffer>): GPUBuffer;
  /** Takes a survivor's buffer away: it has no memory. */
  forget(dataId: object): void;
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

const captured = new WeakSet<BackendInternals>();

/** Whether what the backend issues reaches no GPU now. */
export const isCaptured = (backend: BackendInternals): boolean => captured.has(backend);

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

/** Puts the stand-in, and a buffer manager that recycles nothing, in the backend's place for them. */
export function captureBackend(backend: BackendInternals, standIn: StandIn): Capture {
  const kernels: string[] = [];
  const made = new WeakSet<object>();
  const onDevice = new Set<object>();
  const persistent = new Map<object, GPUBuffer>();
  const released: object[] = [];

  let aside: Pick<BackendInternals, (typeof EXCHANGED)[number]> = {
    device: standIn.device,
    queue: standIn.device.queue,
    bufferManager: {
      numBytesUsed: 0,
      numBytesAllocated: 0,
      acquireBuffer: (size: number, usage: number, mapped = false) =>
        standIn.acquireBuffer(size, usage, mapped) as GPUBuffer,
      releaseBuffer: () => undefined,
    } as BufferManager,
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
        persistent.set(dataId, data.resource!);
      }
    },
    disposeData: (dataId, force) => {
      if (made.has(dataId) || !backend.tensorMap.has(dataId)) return disposeData(dataId, force);
      const data = backend.tensorMap.get(dataId);
      data.refCount = force === true ? 0 : data.refCount - 1;
      if (data.refCount <= 0) released.push(dataId);
      return false;
    },
    tensorToBinding: (tensor) => (tensor === null ? null : placeOf(backend, tensor.dataId)),
    readSync: (dataId) => backend.tensorMap.get(dataId).values ?? standIn.noHostValues(),
    read: async (dataId) => backend.tensorMap.get(dataId).values ?? standIn.noHostValues(),
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
  captured.add(backend);

  return {
    persistent,
    kernelName: () => kernels.at(-1) ?? '',
    tensor: ({ shape, dtype }, buffer) => {
      const dataId = backend.write(undefined, [...shape], dtype);
      backend.tensorMap.get(dataId).resource = buffer as GPUBuffer;
      onDevice.add(dataId);
      return engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype });
    },
    disposedOfOlder: () => released.some((dataId) => backend.tensorMap.get(dataId).refCount <= 0),
    survivors: () =>
      [...onDevice].flatMap((dataId) => {
        const buffer = backend.tensorMap.has(dataId) ? backend.tensorMap.get(dataId).resource : undefined;
        return buffer == null ? [] : [{ dataId, buffer }];
      }),
    realise: (dataId, bytes) => {
      const data = backend.tensorMap.get(dataId);
      onRealDevice(() => {
        data.resource = null;
        uploadToGPU(dataId);
        backend.queue.writeBuffer(data.resource!, 0, bytes);
      });
      persistent.set(dataId, data.resource!);
      return data.resource!;
    },
    forget: (dataId) => void (backend.tensorMap.get(dataId).resource = null),
    stop: () => {
      captured.delete(backend);
      exchange();
      restore();
      restoreEngine();
    },
  };
}

/** Every variable there is. */
export function registeredVariables(): Variable[] {
  return Object.values(
    (engine() as unknown as { state: { registeredVariables: Record<string, Variable> } }).state.registeredVariables,
  );
}

/** Undoes Variable.assign: the variable holds the data it held before. */
export function restoreData(variable: Variable, dataId: object, backend: BackendInternals): void {
  const tfjs = engine() as unknown as {
    disposeTensor(tensor: Tensor): void;
    incRef(tensor: Tensor, backend: BackendInternals): void;
  };
  tfjs.disposeTensor(variable);
  (variable as { dataId: object }).dataId = dataId;
  tfjs.incRef(variable, backend);
}
