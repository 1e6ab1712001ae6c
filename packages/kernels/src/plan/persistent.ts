import type { TensorInfo, Variable } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { forgetHostCopies, ownData } from '../tfjs/in-place';
import { bufferOf, dataOf, flush, type BackendInternals } from '../tfjs/backend';
import { backendOf } from './backend';
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
    this.backend = backendOf(device);
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
    let moved = false;
    for (const held of this.held) {
      if (held.written && held.variable !== undefined && this.backend.refCount(held.variable.dataId) > 1)
        ownData([held.variable]);
      const dataId = held.variable?.dataId ?? held.dataId;
      const known = dataOf(this.backend, dataId);
      const gone = held.variable?.isDisposed === true || known === undefined;
      if (!gone && known.resource === held.current) continue;
      if (gone) {
        const what = held.variable === undefined ? 'a tensor' : `the variable ${held.variable.name}`;
        throw new KernelError(
          'DISPOSED',
          `${this.step}: ${what} that the step uses is disposed of; record the step again`,
        );
      }
      held.current = bufferOf(this.backend, dataId);
      flush(this.backend);
      held.dataId = dataId;
      if (held.written) forgetHostCopies(this.device.tfjsBackend as WebGPUBackend, [held as unknown as TensorInfo]);
      moved = true;
    }
    return moved;
  }
}
