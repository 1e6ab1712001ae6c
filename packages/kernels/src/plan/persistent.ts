import type { TensorInfo, Variable } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { forgetHostCopies, ownData } from '../tfjs/in-place';
import { dataOf, flush, placeOf, rangeOf, type BackendInternals, type BufferRange } from '../tfjs/backend';
import { layAt, layTogether, variablesIn } from '../tfjs/together';
import { backendOf } from './backend';
import type { Program } from './program';
import type { PersistentTensor } from './recording';

/** A buffer from before the recording: one tensor's own, or one that several share. */
interface Held {
  readonly recorded: GPUBuffer;
  readonly tensors: readonly HeldTensor[];
  readonly written: boolean;
  current: GPUBuffer;
}

interface HeldTensor {
  readonly variable: Variable | undefined;
  /** Its range of the buffer when it was recorded, which the step's commands have. */
  readonly range: BufferRange | undefined;
  dataId: object;
}

/**
 * The tensors from before the recording that a step binds. They stay where they are; where a variable has been given
 * other data since, or has been laid together with others, the step follows it; where it was recorded in another range,
 * it comes back to that.
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
    const byBuffer = new Map<GPUBuffer, HeldTensor[]>();
    for (const { buffer, dataId, variable } of tensors) {
      if (!program.bound.has(buffer)) continue;
      const range = rangeOf(dataId);
      const held = byBuffer.get(buffer) ?? this.variablesLyingIn(buffer);
      if (!held.some((other) => other.dataId === dataId)) held.push({ variable, dataId, range });
      byBuffer.set(buffer, held);
    }
    this.held = [...byBuffer].map(([buffer, held]) => ({
      recorded: buffer,
      tensors: held,
      written:
        program.written.has(buffer) ||
        held.some(({ variable }) => variable !== undefined && assigned.includes(variable)),
      current: buffer,
    }));
    for (const held of this.held) {
      this.byRecorded.set(held.recorded, held);
      if (held.written) this.forgetHostCopies(held.tensors);
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
      const variables = held.tensors.flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
      if (held.written) {
        ownData(variables.filter(({ isDisposed, dataId }) => !isDisposed && this.backend.refCount(dataId) > 1));
      }
      if (this.lieIn(held.current, held.tensors)) continue;
      for (const tensor of held.tensors) this.checkThere(tensor);
      layTogether(variables);
      held.current = this.bufferOf(held);
      if (!this.lieIn(held.current, held.tensors)) {
        ownData(variables);
        const tensors = held.tensors.map((tensor) => ({ ...tensor, dataId: dataIdOf(tensor) }));
        layAt(this.backend, held.recorded.size, tensors);
        held.current = this.bufferOf(held);
      }
      flush(this.backend);
      for (const tensor of held.tensors) tensor.dataId = dataIdOf(tensor);
      if (held.written) this.forgetHostCopies(held.tensors);
      moved = true;
    }
    return moved;
  }

  /** A home's variables whose data is in it; others have been assigned something else. */
  private variablesLyingIn(buffer: GPUBuffer): HeldTensor[] {
    return variablesIn(buffer)
      .filter(({ dataId }) => dataOf(this.backend, dataId)?.resource === buffer)
      .map((variable) => ({ variable, dataId: variable.dataId, range: rangeOf(variable.dataId) }));
  }

  private bufferOf({ tensors }: Held): GPUBuffer {
    return placeOf(this.backend, dataIdOf(tensors[0]!)).buffer;
  }

  /** Whether every tensor is in this buffer, in the range that was recorded. */
  private lieIn(buffer: GPUBuffer, tensors: readonly HeldTensor[]): boolean {
    return tensors.every((tensor) => {
      const dataId = dataIdOf(tensor);
      if (tensor.variable?.isDisposed === true || dataOf(this.backend, dataId)?.resource !== buffer) return false;
      const range = rangeOf(dataId);
      return range?.offset === tensor.range?.offset && range?.size === tensor.range?.size;
    });
  }

  private checkThere(tensor: HeldTensor): void {
    const { variable } = tensor;
    if (variable?.isDisposed !== true && dataOf(this.backend, dataIdOf(tensor)) !== undefined) return;
    const what = variable === undefined ? 'a tensor' : `the variable ${variable.name}`;
    throw new KernelError('DISPOSED', `${this.step}: ${what} that the step uses is disposed of; record the step again`);
  }

  private forgetHostCopies(tensors: readonly HeldTensor[]): void {
    forgetHostCopies(this.device.tfjsBackend as WebGPUBackend, tensors as unknown as TensorInfo[]);
  }
}

const dataIdOf = ({ variable, dataId }: HeldTensor): object => variable?.dataId ?? dataId;
