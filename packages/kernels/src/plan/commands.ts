import type { Compiled, PlannedShader } from '../webgpu/pipelines';

import { KernelError } from '../errors';
/** A buffer of a recorded function. It has a size and no memory until the plan gives it a place. */
export class PlannedBuffer {
  mapState: GPUBufferMapState;
  private mapped: ArrayBuffer | undefined;

  constructor(
    readonly id: number,
    readonly size: number,
    readonly usage: GPUBufferUsageFlags,
    mappedAtCreation: boolean,
    private readonly fill: (bytes: Uint8Array) => void,
  ) {
    this.mapState = mappedAtCreation ? 'mapped' : 'unmapped';
    if (mappedAtCreation) this.mapped = new ArrayBuffer(size);
  }

  getMappedRange(offset = 0, size?: number): ArrayBuffer {
    if (this.mapped === undefined) throw new KernelError('BAD_ARGUMENT', 'a buffer that is not mapped has no range');
    if (offset !== 0 || (size !== undefined && size !== this.size))
      throw new KernelError('BAD_ARGUMENT', 'only whole buffers are mapped here');
    return this.mapped;
  }

  unmap(): void {
    if (this.mapped !== undefined) this.fill(new Uint8Array(this.mapped));
    this.mapped = undefined;
    this.mapState = 'unmapped';
  }

  destroy(): void {
    // Nothing to give back: a planned buffer ends with its last use.
  }
}

/** A buffer of the recording: one without memory yet, or one that was there before and stays where it is. */
export type BufferRef = PlannedBuffer | GPUBuffer;

export interface RecordedBinding {
  readonly binding: number;
  readonly buffer: BufferRef;
  readonly offset: number;
  /** Bytes bound; undefined for all from the offset on. */
  readonly size: number | undefined;
  /** Whether the shader declares it read_write. */
  readonly written: boolean;
}

export interface DispatchCommand {
  readonly kind: 'dispatch';
  /** The tfjs kernel or op that issued it, and the shader. */
  readonly label: string;
  /** A pipeline of tfjs' with its layout, or one of our shaders. */
  readonly shader: Compiled | PlannedShader;
  readonly bindings: readonly RecordedBinding[];
  readonly workgroups: readonly [number, number, number];
}

export interface CopyCommand {
  readonly kind: 'copy';
  readonly source: BufferRef;
  readonly sourceOffset: number;
  readonly target: BufferRef;
  readonly targetOffset: number;
  readonly size: number;
}

/** Bytes from the host, the same in every run. */
export interface FillCommand {
  readonly kind: 'fill';
  readonly target: BufferRef;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What a plan runs: fills have become copies by then. */
export type Runnable = DispatchCommand | CopyCommand;

export type Command = Runnable | FillCommand;

export function isPlanned(buffer: BufferRef): buffer is PlannedBuffer {
  return buffer instanceof PlannedBuffer;
}

/** Buffers a command reads; a read_write binding is read as well. */
export function readBuffers(command: Command): BufferRef[] {
  if (command.kind === 'fill') return [];
  if (command.kind === 'copy') return [command.source];
  return command.bindings.map(({ buffer }) => buffer);
}

/** Buffers a command may write. */
export function writtenBuffers(command: Command): BufferRef[] {
  if (command.kind !== 'dispatch') return [command.target];
  return command.bindings.filter(({ written }) => written).map(({ buffer }) => buffer);
}
