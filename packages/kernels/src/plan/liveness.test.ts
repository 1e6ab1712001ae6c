import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignSlots, peakOf, type LiveRange } from './liveness';

const ranges = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 5000 }), first: fc.nat(60), length: fc.nat(30) })
    .map(({ bytes, first, length }): LiveRange => ({ bytes, first, last: first + length })),
  { maxLength: 80 },
);

const overlap = (a: LiveRange, b: LiveRange): boolean => a.first <= b.last && b.first <= a.last;

describe('slots by liveness', () => {
  it('never holds two live buffers, and holds each buffer whole', () => {
    fc.assert(
      fc.property(ranges, (live) => {
        const { slots, slotOf } = assignSlots(live);
        live.forEach((range, i) => {
          expect(slots[slotOf[i]!]).toBeGreaterThanOrEqual(range.bytes);
          for (let j = 0; j < i; j++) if (slotOf[i] === slotOf[j]) expect(overlap(range, live[j]!)).toBe(false);
        });
      }),
    );
  });

  it('takes between the most that is alive at once and the sum of all, and each slot is as large as a buffer in it', () => {
    fc.assert(
      fc.property(ranges, (live) => {
        const { slots, slotOf } = assignSlots(live);
        const total = slots.reduce((sum, bytes) => sum + bytes, 0);
        expect(total).toBeGreaterThanOrEqual(peakOf(live).bytes);
        expect(total).toBeLessThanOrEqual(live.reduce((sum, { bytes }) => sum + bytes, 0));
        slots.forEach((bytes, slot) => {
          expect(Math.max(...live.filter((_, i) => slotOf[i] === slot).map((range) => range.bytes))).toBe(bytes);
        });
      }),
    );
  });

  it('finds the peak that counting at every command finds', () => {
    fc.assert(
      fc.property(ranges, (live) => {
        const { bytes, command } = peakOf(live);
        const at = (when: number): number =>
          live.filter(({ first, last }) => first <= when && when <= last).reduce((sum, range) => sum + range.bytes, 0);
        expect(bytes).toBe(Math.max(0, ...Array.from({ length: 100 }, (_, when) => at(when))));
        expect(at(command)).toBe(bytes);
      }),
    );
  });

  it('runs a chain of equal buffers in two slots', () => {
    const chain = Array.from({ length: 50 }, (_, i) => ({ bytes: 64, first: i, last: i + 1 }));
    expect(assignSlots(chain).slots).toEqual([64, 64]);
  });
});
