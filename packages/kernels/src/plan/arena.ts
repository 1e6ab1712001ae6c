import type { Device } from '../device/device';
import { tensorUsage } from '../tfjs/backend';

/**
 * Memory for intermediates: a list of buffers, largest first. Plans that never run at the same time share one, which
 * is as large as the largest of them needs.
 */
export class Arena {
  private buffers: GPUBuffer[] = [];
  private version = 0;

  constructor(private readonly device: Device) {}

  /** Changes whenever a buffer is replaced: bind groups made before are then of no use. */
  get generation(): number {
    return this.version;
  }

  get bytes(): number {
    return this.buffers.reduce((sum, { size }) => sum + size, 0);
  }

  /** What the arena would take after `reserve(slots)`. */
  bytesWith(slots: readonly number[]): number {
    const wanted = [...slots].sort((a, b) => b - a);
    const count = Math.max(wanted.length, this.buffers.length);
    let bytes = 0;
    for (let i = 0; i < count; i++) bytes += Math.max(rounded(wanted[i] ?? 0), this.buffers[i]?.size ?? 0);
    return bytes;
  }

  /** Buffers for slots of these bytes, in the slots' order. */
  reserve(slots: readonly number[]): GPUBuffer[] {
    const order = slots.map((_, slot) => slot).sort((a, b) => slots[b]! - slots[a]!);
    const given = new Array<GPUBuffer>(slots.length);
    this.device.owner('plan arena', () => {
      order.forEach((slot, rank) => {
        const bytes = rounded(slots[slot]!);
        const held = this.buffers[rank];
        if (held === undefined || held.size < bytes) {
          held?.destroy();
          if (held !== undefined) this.version++;
          this.buffers[rank] = this.device.gpuDevice!.createBuffer({
            label: `slot ${rank}`,
            size: bytes,
            usage: tensorUsage(),
          });
        }
        given[slot] = this.buffers[rank]!;
      });
    });
    return given;
  }

  dispose(): void {
    for (const buffer of this.buffers) buffer.destroy();
    this.buffers = [];
    this.version++;
  }
}

function rounded(bytes: number): number {
  return Math.ceil(Math.max(bytes, 16) / 16) * 16;
}
