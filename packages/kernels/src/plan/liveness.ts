/** When a buffer is needed, in numbers of commands, both ends included. */
export interface LiveRange {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface SlotAssignment {
  /** Bytes of each slot. */
  readonly slots: readonly number[];
  /** Slot of each range, in the ranges' order. */
  readonly slotOf: readonly number[];
}

/**
 * Gives each range a slot that no other range uses at the same time. WebGPU forbids a buffer that is bound for reading
 * and for writing in one dispatch, so a slot is a buffer of its own and never a part of one. The largest buffers come
 * first, each to the tightest slot that is free all its life (Pisarchyk & Lee 2020, "Efficient memory management for
 * deep neural net inference", section 4.2, greedy by size): a slot is as large as its first buffer.
 */
export function assignSlots(ranges: readonly LiveRange[]): SlotAssignment {
  const slots: { readonly bytes: number; readonly held: LiveRange[] }[] = [];
  const slotOf = new Array<number>(ranges.length);
  const order = ranges.map((_, index) => index);
  order.sort((a, b) => ranges[b]!.bytes - ranges[a]!.bytes || ranges[a]!.first - ranges[b]!.first);
  for (const index of order) {
    const range = ranges[index]!;
    let found = -1;
    // Later slots are smaller, and every slot is at least as large as what comes now.
    for (let slot = slots.length - 1; slot >= 0 && found < 0; slot--) {
      if (slots[slot]!.held.every(({ first, last }) => last < range.first || first > range.last)) found = slot;
    }
    if (found < 0) found = slots.push({ bytes: range.bytes, held: [] }) - 1;
    slots[found]!.held.push(range);
    slotOf[index] = found;
  }
  return { slots: slots.map(({ bytes }) => bytes), slotOf };
}

/** Most bytes needed at one time, and when: no assignment takes less. */
export function peakOf(ranges: readonly LiveRange[]): { bytes: number; command: number } {
  const changes = ranges.flatMap(({ bytes, first, last }): [number, number][] => [
    [first, bytes],
    [last + 1, -bytes],
  ]);
  changes.sort(([a, grows], [b, shrinks]) => a - b || grows - shrinks);
  let bytes = 0;
  let peak = { bytes: 0, command: 0 };
  for (const [command, change] of changes) {
    bytes += change;
    if (bytes > peak.bytes) peak = { bytes, command };
  }
  return peak;
}
