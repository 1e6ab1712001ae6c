import { engine, util, type DataType, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { flush, placeOf, tensorUsage, type BackendInternals, type TensorPlace } from '../tfjs/backend';
import { captureBackend, registeredVariables, restoreData, type Capture } from '../tfjs/capture';
import { backendOf } from './backend';
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

/** What Variable.assign replaced: the buffer of the new value, and the variable with where its data lies. */
export interface Assignment {
  readonly source: BufferRef;
  readonly variable: Variable;
  readonly target: GPUBuffer;
  readonly targetOffset: number;
}

export interface Recording {
  readonly commands: readonly Command[];
  readonly inputs: readonly RecordedInput[];
  readonly outputs: readonly RecordedOutput[];
  readonly assignments: readonly Assignment[];
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
  const backend = backendOf(device);
  const before = new Map(registeredVariables().map((variable) => [variable, variable.dataId]));
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
        const { shape, dtype } = tensor;
        const place = placeOf(backend, tensor.dataId);
        return { name, shape, dtype, buffer: place.size === undefined ? place.buffer : capture.ownBuffer(place) };
      });
    } finally {
      engine().endScope();
      created.push(...registeredVariables().filter((variable) => !before.has(variable)));
    }
    if (created.length > 0) {
      throw new KernelError(
        'BAD_ARGUMENT',
        `the recorded function makes the variable ${created[0]!.name}, which a replay would make anew each time: make it before`,
      );
    }
    const assignments: Assignment[] = [];
    for (const [variable, dataId] of before) {
      if (variable.dataId === dataId) continue;
      const source = placeOf(backend, variable.dataId);
      const target = placeOf(backend, dataId);
      assignments.push({
        variable,
        source: source.size === undefined ? source.buffer : capture.ownBuffer(source),
        target: target.buffer,
        targetOffset: target.offset,
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
      persistent: [...capture.persistent].map(([dataId, buffer]) => ({
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

/** Undoes Variable.assign: each variable holds the data it held before. */
function restoreVariables(before: ReadonlyMap<Variable, object>, backend: BackendInternals): void {
  for (const [variable, dataId] of before) {
    if (variable.dataId !== dataId) restoreData(variable, dataId, backend);
  }
}

interface RecordingCapture extends Pick<Capture, 'persistent' | 'tensor'> {
  readonly commands: Command[];
  newBuffer(spec: TensorSpec): PlannedBuffer;
  /** A buffer of its own for a tensor that lies in a range of one. */
  ownBuffer(place: TensorPlace): PlannedBuffer;
  /** Ends what was begun; tensors that outlive the recording get real buffers, by the buffer they stand for. */
  finish(): Map<BufferRef, GPUBuffer>;
  /** Gives the backend back. */
  stop(): void;
}

/** Puts the recording device in the backend's place for its own. */
function startCapture(backend: BackendInternals, gpuDevice: GPUDevice): RecordingCapture {
  const recorder = createRecorder(gpuDevice, () => capture.kernelName());
  const capture: Capture = captureBackend(backend, {
    device: recorder.device,
    acquireBuffer: (size, usage, mapped) => recorder.createBuffer(size, usage, mapped),
    noHostValues: () => {
      throw new KernelError(
        'BAD_ARGUMENT',
        'the recorded function reads values of a tensor on the host: a recording has none. Pass them as an input, or read an output after the run',
      );
    },
  });
  const planned = (): { dataId: object; buffer: PlannedBuffer }[] =>
    capture
      .survivors()
      .flatMap(({ dataId, buffer }) =>
        isPlanned(buffer as BufferRef) ? [{ dataId, buffer: buffer as PlannedBuffer }] : [],
      );
  return {
    commands: recorder.commands,
    persistent: capture.persistent,
    newBuffer: ({ shape }) => recorder.createBuffer(4 * util.sizeFromShape([...shape]), tensorUsage()),
    ownBuffer: ({ buffer, offset, size = buffer.size }) => {
      const target = recorder.createBuffer(size, tensorUsage());
      recorder.commands.push({ kind: 'copy', source: buffer, sourceOffset: offset, target, targetOffset: 0, size });
      return target;
    },
    tensor: (spec, buffer) => capture.tensor(spec, buffer),
    finish: () => {
      flush(backend);
      if (capture.disposedOfOlder()) {
        throw new KernelError(
          'BAD_ARGUMENT',
          'the recorded function disposes of a tensor made before it; keep it while the plan is used',
        );
      }
      const constants = constantBuffers(recorder.commands);
      const kept = new Map<BufferRef, GPUBuffer>();
      for (const { dataId, buffer } of planned()) {
        const bytes = constants.get(buffer);
        if (bytes === undefined) {
          throw new KernelError(
            'BAD_ARGUMENT',
            'the recorded function keeps a tensor that it computes, and a recording computes nothing: return it as an output, or compute it before',
          );
        }
        kept.set(buffer, capture.realise(dataId, bytes as Uint8Array<ArrayBuffer>));
      }
      return kept;
    },
    stop: () => {
      flush(backend);
      // What a failed recording left behind has no memory.
      for (const { dataId } of planned()) capture.forget(dataId);
      capture.stop();
    },
  };
}
