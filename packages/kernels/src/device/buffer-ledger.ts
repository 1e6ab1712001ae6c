import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { watchBuffers } from '../tfjs/memory';
import type { OwnedBytes } from './types';

/** Buffers that tfjs keeps for reuse. */
const FREE = 'waiting for reuse';

/** Owner of what nobody claimed. */
function unclaimed(usage: GPUBufferUsageFlags): string {
  if ((usage & GPUBufferUsage.UNIFORM) !== 0) return 'uniforms';
  return (usage & (GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE)) !== 0 ? 'staging' : 'tensors';
}

interface Entry {
  readonly bytes: number;
  owner: string;
}

/** A number of bytes that rises and falls, and how high it has been. */
class ByteLevel implements OwnedBytes {
  currentBytes = 0;
  peakBytes = 0;

  add(bytes: number): void {
    this.currentBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.currentBytes);
  }

  resetPeak(): void {
    this.peakBytes = this.currentBytes;
  }
}

/**
 * Every buffer a GPUDevice has made and not destroyed, with the name of who holds it. tfjs hands one buffer to many
 * tensors in turn, so an entry changes hands when tfjs' buffer manager gives it out and takes it back.
 */
export class BufferLedger {
  private readonly entries = new Map<number, Entry>();
  private readonly ids = new WeakMap<GPUBuffer, number>();
  private readonly owners = new Map<string, ByteLevel>();
  private readonly tensorOwners = new WeakMap<object, string>();
  private readonly collected = new FinalizationRegistry<number>((id) => this.remove(id));
  private owner: string | undefined;
  private count = 0;
  /** Bytes of all buffers, those that wait for reuse included. */
  readonly held = new ByteLevel();
  /** Bytes of the buffers that somebody uses. */
  readonly used = new ByteLevel();

  byOwner(): Record<string, OwnedBytes> {
    return Object.fromEntries(
      [...this.owners].map(([name, { currentBytes, peakBytes }]) => [name, { currentBytes, peakBytes }]),
    );
  }

  resetPeak(): void {
    this.held.resetPeak();
    this.used.resetPeak();
    for (const level of this.owners.values()) level.resetPeak();
  }

  /** Buffers made or taken inside belong to `owner`; the innermost scope counts. */
  scope<Result>(owner: string | undefined, work: () => Result): Result {
    const outer = this.owner;
    this.owner = owner;
    try {
      return work();
    } finally {
      this.owner = outer;
    }
  }

  watchDevice(device: GPUDevice): void {
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer(descriptor);
      this.add(buffer, descriptor.size);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        this.remove(this.ids.get(buffer)!);
        destroy();
        return undefined;
      };
      return buffer;
    };
  }

  /** tfjs uploads a tensor when it is first used: its owner is who made it. */
  watchBackend(backend: WebGPUBackend): void {
    watchBuffers(backend, {
      made: (dataId) => {
        if (this.owner !== undefined) this.tensorOwners.set(dataId, this.owner);
      },
      uploading: (dataId, upload) => this.scope(this.tensorOwners.get(dataId) ?? this.owner, upload),
      taken: (buffer) => this.give(buffer, this.owner ?? unclaimed(buffer.usage)),
      released: (buffer) => this.give(buffer, FREE),
    });
  }

  private add(buffer: GPUBuffer, bytes: number): void {
    const id = this.count++;
    const owner = this.owner ?? unclaimed(buffer.usage);
    this.ids.set(buffer, id);
    this.entries.set(id, { bytes, owner });
    this.collected.register(buffer, id);
    this.held.add(bytes);
    this.change(owner, bytes);
  }

  private give(buffer: GPUBuffer, owner: string): void {
    const entry = this.entries.get(this.ids.get(buffer) ?? -1);
    if (entry === undefined || entry.owner === owner) return;
    this.change(entry.owner, -entry.bytes);
    entry.owner = owner;
    this.change(owner, entry.bytes);
  }

  private remove(id: number): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    this.entries.delete(id);
    this.held.add(-entry.bytes);
    this.change(entry.owner, -entry.bytes);
  }

  private change(owner: string, bytes: number): void {
    let level = this.owners.get(owner);
    if (level === undefined) this.owners.set(owner, (level = new ByteLevel()));
    level.add(bytes);
    if (owner !== FREE) this.used.add(bytes);
  }
}
