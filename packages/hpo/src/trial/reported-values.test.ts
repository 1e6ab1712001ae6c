import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReportedValues } from './reported-values';

const reports = fc.array(fc.tuple(fc.nat(20), fc.oneof(fc.double(), fc.constant(NaN))), { maxLength: 30 });

it('are what a Map of the same reports is, and every snapshot stays as it was', () => {
  fc.assert(
    fc.property(reports, (entries) => {
      let values = ReportedValues.of();
      const map = new Map<number, number>();
      const snapshots: [ReportedValues, [number, number][]][] = [];
      for (const [step, value] of entries) {
        snapshots.push([values, [...map]]);
        values = values.with(step, value);
        map.set(step, value);
      }
      for (const [snapshot, wanted] of [...snapshots, [values, [...map]] as const]) {
        expect([...snapshot]).toEqual(wanted);
        expect(snapshot.size).toBe(wanted.length);
        const steps = wanted.map(([step]) => step).sort((a, b) => b - a);
        expect(snapshot.lastStep).toBe(steps[0]);
        expect(snapshot.stepBeforeLast).toBe(steps[1] ?? -1);
        const numbers = wanted.map(([, value]) => value).filter((value) => !Number.isNaN(value));
        expect(snapshot.lowest).toBe(numbers.length === 0 ? NaN : numbers.reduce((a, b) => (b < a ? b : a)));
        expect(snapshot.highest).toBe(numbers.length === 0 ? NaN : numbers.reduce((a, b) => (b > a ? b : a)));
        for (let step = 0; step <= 21; step++) {
          expect(snapshot.get(step)).toBe(new Map(wanted).get(step));
          expect(snapshot.has(step)).toBe(new Map(wanted).has(step));
        }
      }
    }),
  );
});

it('may go on in two ways from one snapshot', () => {
  const first = ReportedValues.of([[0, 5]]);
  const one = first.with(1, 6);
  const other = first.with(1, 7);
  expect([...one, ...other]).toEqual([
    [0, 5],
    [1, 6],
    [0, 5],
    [1, 7],
  ]);
});
