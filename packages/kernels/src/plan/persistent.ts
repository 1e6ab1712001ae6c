import type { TensorInfo, Variable } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { forgetHostCopies, ownData } from '../tfjs/in-place';
import { dataOf, flush, placeOf, type BackendInternals } from '../tfjs/backend';
import { layTogether, variablesIn } from '../tfjs/together';
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
  dataId: object;
}

/**
 * The tensors from before the recording that a step binds. They stay where they are; where a variable has been given
 * other data since, the step follows it, and variables that share a buffer come back to their ranges of one.
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
      const sharing = variablesIn(buffer).map((member) => ({ variable: member, dataId: member.dataId }));
      byBuffer.set(buffer, sharing.length > 0 ? sharing : [...(byBuffer.get(buffer) ?? []), { variable, dataId }]);
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
      if (!held.tensors.some((tensor) => this.hasMoved(tensor, held.current))) continue;
      for (const tensor of held.tensors) this.checkThere(tensor);
      layTogether(variables);
      held.current = placeOf(this.backend, dataIdOf(held.tensors[0]!)).buffer;
      flush(this.backend);
      for (const tensor of held.tensors) tensor.dataId = dataIdOf(tensor);
      if (held.written) this.forgetHostCopies(held.tensors);
      moved = true;
    }
    return moved;
  }

  private hasMoved(tensor: HeldTensor, to: GPUBuffer): boolean {
    return tensor.variable?.isDisposed === true || dataOf(this.backend, dataIdOf(tensor))?.resource !== to;
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
