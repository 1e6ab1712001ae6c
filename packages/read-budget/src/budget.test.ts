import { describe, expect, it } from 'vitest';
import { type ReadLimits, ReadBudget } from './budget';
import { type Refusal } from './refusal';

class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}
const budget = (limits?: ReadLimits): ReadBudget => new ReadBudget(limits, (refusal) => new Refused(refusal));
const refusal = (run: () => void): Refusal => {
  try {
    run();
  } catch (error) {
    return (error as Refused).refusal;
  }
  throw new Error('nothing was refused');
};

describe('ReadBudget', () => {
  it('allows a document 24 bytes of memory and a step for each of its bytes, besides what any may have', () => {
    const any = 2 ** 24;
    const memory = budget().document('x', 1000);
    memory.spend(0, any + 24_000);
    expect(refusal(() => memory.spend(0, 1))).toMatchObject({ code: 'OVER_BUDGET', place: 'x', value: any + 25_001 });
    const steps = budget().document('x', 1000);
    steps.spend(1_001_000, 0);
    expect(refusal(() => steps.spend(1, 0)).message).toBe(
      'x: reading its 1000 bytes would take more than 1001000 steps of work. No file made in earnest does: it is ' +
        'damaged, or was made to do harm.',
    );
  });

  it('limits all documents of a call together, as the caller says', () => {
    const call = budget({ memoryBytes: 5000, steps: 100 });
    const first = call.document('a', 2000);
    first.spend(60, 1000);
    expect(refusal(() => call.document('b', 2001))).toMatchObject({ place: 'b', value: 5001 });
    expect(refusal(() => budget({ memoryBytes: 10 }).document('b', 11)).message).toMatch(/give a higher limits.memory/);
    const steps = budget({ steps: 100 });
    steps.document('a', 0).spend(60, 0);
    expect(refusal(() => steps.document('b', 0).spend(41, 0)).message).toMatch(/than 100 steps.*higher limits.steps/);
  });

  it('takes memory back that a document released, and no work', () => {
    const call = budget({ memoryBytes: 5000, steps: 100 });
    const first = call.document('a', 4000);
    first.spend(60, 0);
    first.release();
    const second = call.document('b', 4000);
    expect(refusal(() => second.spend(41, 0)).value).toBe(101);
  });

  it.each([0, -1, NaN, '5', null])('refuses the limit %s', (value) => {
    expect(refusal(() => budget({ steps: value as number }))).toMatchObject({ code: 'INVALID_LIMIT', value });
  });
});
