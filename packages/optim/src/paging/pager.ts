import type { StateBuffers } from './state-buffers';

/**
 * Keeps the pageable states on the device within a budget, the least recently used paged out to the host; CUDA's driver
 * does this for bitsandbytes' paged optimisers (cudaMallocManaged buffers, bitsandbytes/cextension GlobalPageManager).
 */
export class Pager {
  pageIns = 0;
  pageOuts = 0;
  /** Resident pageable states, the least recently used first. */
  private readonly recent = new Set<StateBuffers>();
  private residentBytes = 0;

  constructor(private readonly budget: number) {}

  /** Whether states of this size fit beside those already on the device. */
  hasRoom(bytes: number): boolean {
    return this.residentBytes + bytes <= this.budget;
  }

  /** Takes states that lie on the device under control. */
  add(states: StateBuffers): void {
    this.recent.add(states);
    this.residentBytes += states.bytes;
  }

  /** Forgets all states; those on the device are to be added again. */
  clear(): void {
    this.recent.clear();
    this.residentBytes = 0;
  }

  /** Makes room and brings the states to the device. */
  async acquire(states: StateBuffers): Promise<void> {
    if (states.resident) {
      this.recent.delete(states);
      this.recent.add(states);
      return;
    }
    await this.evict(this.budget - states.bytes);
    states.pageIn();
    this.pageIns++;
    this.add(states);
  }

  /** Pages out until the budget holds: after an update, where states alone may be larger than it. */
  settle(): Promise<void> {
    return this.evict(this.budget);
  }

  private async evict(room: number): Promise<void> {
    for (const states of this.recent) {
      if (this.residentBytes <= room) return;
      await states.pageOut();
      this.pageOuts++;
      this.recent.delete(states);
      this.residentBytes -= states.bytes;
    }
  }
}
