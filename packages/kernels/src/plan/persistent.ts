import type { Tensor, TensorInfo, Variable } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { forgetHostCopies } from '../ops/adamw/in-place';
import { flush, internalsOf, type BackendInternals } from './backend';
import type { Program } from './program';
import type { PersistentTensor } from './recording';

interface Held {
  readonly recorded: GPUBuffer;
  readonly variable: Variable | undefined;
  readonly written: boolean;
  dataId: object;
  current: GPUBuffer;
}

/**
 * The tensors from before the recording that a step binds. They stay where they are; where a variable has been given
 * other data since, the step follows it.
 */
export class PersistentTensors {
  private readonly backend: BackendInternals;
  private readonly held: Held[];
  private readonly byRecorded = new Map<GPUBuffer, Held>();

  constructor(
    private readonly step: string,
    private readonly device: Device,
    program: Program,
    tensors: readonly PersistentTensor[],
    assigned: readonly Variable[],
  ) {
    this.backend = internalsOf(device);
    this.held = tensors
      .filter(({ buffer }) => program.bound.has(buffer))
      .map(({ buffer, dataId, variable }) => ({
        recorded: buffer,
        variable,
        written: program.written.has(buffer) || (variable !== undefined && assigned.includes(variable)),
        dataId,
        current: buffer,
      }));
    for (const held of this.held) {
      this.byRecorded.set(held.recorded, held);
      if (held.written) forgetHostCopies(device.tfjsBackend as WebGPUBackend, [held as unknown as TensorInfo]);
    }
  }

  /** Where what was recorded as this buffer is now; buffers that belong to no tensor are where they were. */
  current(recorded: GPUBuffer): GPUBuffer {
    return this.byRecorded.get(recorded)?.current ?? recorded;
  }

  /**
   * Looks whether every tensor is where it was, and says whether one has moved.
   *
   * @throws KernelError DISPOSED
   */
  refresh(): boolean {
    const { tensorMap } = this.backend;
    let moved = false;
    for (const held of this.held) {
      if (held.written && held.variable !== undefined && this.backend.refCount(held.variable.dataId) > 1)
        this.own(held.variable);
      const dataId = held.variable?.dataId ?? held.dataId;
      const gone = held.variable?.isDisposed === true || !tensorMap.has(dataId);
      if (!gone && tensorMap.get(dataId).resource === held.current) continue;
      if (gone) {
        const what = held.variable === undefined ? 'a tensor' : `the variable ${held.variable.name}`;
        throw new KernelError(
          'DISPOSED',
          `${this.step}: ${what} that the step uses is disposed of; record the step again`,
        );
      }
      this.backend.uploadToGPU(dataId);
      flush(this.backend);
      held.dataId = dataId;
      held.current = tensorMap.get(dataId).resource!;
      if (held.written) forgetHostCopies(this.device.tfjsBackend as WebGPUBackend, [held as unknown as TensorInfo]);
      moved = true;
    }
    return moved;
  }

  /** Gives a variable data of its own: what shares it, a clone or a snapshot, must not see the step's writes. */
  private own(variable: Variable): void {
    ownData(this.backend, variable);
  }
}

/** Copies a variable's data, bit by bit, so that nobody shares it. */
export function ownData(backend: BackendInternals, variable: Variable): void {
  backend.uploadToGPU(variable.dataId);
  const buffer = backend.tensorMap.get(variable.dataId).resource!;
  const tfjs = backend as unknown as {
    createTensorFromGPUData(data: { buffer: GPUBuffer }, shape: number[], dtype: string): Tensor;
  };
  const copy = tfjs.createTensorFromGPUData({ buffer }, variable.shape, variable.dtype);
  variable.assign(copy);
  copy.dispose();
}
