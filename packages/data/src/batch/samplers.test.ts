import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchCount, batches, LengthGroupedSampler, RandomSampler, SequentialSampler } from './samplers';

describe('samplers', () => {
  it('go through the rows in order, or in an order of the epoch', () => {
    expect([...new SequentialSampler(4).indices()]).toEqual([0, 1, 2, 3]);
    const random = new RandomSampler({ length: 9, seed: 3 });
    expect([...random.indices(7)]).toEqual([1, 2, 7, 4, 0, 8, 6, 3, 5]);
    expect([...random.indices(7)]).toEqual([...random.indices(7)]);
    expect([...random.indices(8)]).not.toEqual([...random.indices(7)]);
    expect([...new RandomSampler({ length: 9, seed: 4 }).indices(7)]).not.toEqual([...random.indices(7)]);
  });

  // transformers' get_length_grouped_indices, given numpy's permutation for the same seed in place of torch's.
  it('group rows by length as transformers does', () => {
    const lengths = Array.from({ length: 40 }, (_, i) => ((i * 7919) % 23) + 1);
    expect([...new LengthGroupedSampler({ lengths, batchSize: 2, seed: 3 }).indices(1)]).toEqual([
      13, 12, 2, 5, 18, 8, 11, 27, 17, 10, 29, 6, 9, 25, 28, 31, 34, 24, 14, 23, 36, 3, 32, 35, 38, 37, 4, 7, 20, 0, 26,
      16, 39, 19, 22, 15, 21, 1, 30, 33,
    ]);
    const many = Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 61) + 1);
    const order = new LengthGroupedSampler({ lengths: many, batchSize: 4 }).indices(0);
    expect([...order.slice(0, 10)]).toEqual([843, 416, 477, 222, 954, 100, 577, 821, 28, 882]);
    expect(order.reduce((sum, row, place) => sum + row * (place + 1), 0)).toBe(250536419);
    expect([...new LengthGroupedSampler({ lengths: [3, 1, 2], batchSize: 4 }).indices(0)]).toEqual([0, 2, 1]);
    expect(new LengthGroupedSampler({ lengths: [], batchSize: 4 }).indices(0).length).toBe(0);
  });

  it('give every row once, the longest first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        (lengths, batchSize, seed) => {
          const order = [...new LengthGroupedSampler({ lengths, batchSize, seed }).indices(0)];
          expect(lengths[order[0]!]).toBe(Math.max(...lengths));
          expect(order.sort((one, other) => one - other)).toEqual(lengths.map((_, row) => row));
        },
      ),
    );
  });
});

describe('batches', () => {
  const sampler = new RandomSampler({ length: 10, seed: 1 });
  const all = [...sampler.indices(2)];
  const list = (options: Parameters<typeof batches>[1]): number[][] =>
    [...batches(sampler, options)].map((batch) => [...batch]);

  it('cut an epoch into batches, the last one short or left out', () => {
    expect(list({ batchSize: 4, epoch: 2 })).toEqual([all.slice(0, 4), all.slice(4, 8), all.slice(8)]);
    expect(list({ batchSize: 4, epoch: 2, dropLast: true })).toEqual([all.slice(0, 4), all.slice(4, 8)]);
    expect([
      batchCount(10, { batchSize: 4 }),
      batchCount(10, { batchSize: 4, dropLast: true }),
      batchCount(0, { batchSize: 4 }),
    ]).toEqual([3, 2, 0]);
  });

  it('resume where an interrupted epoch stopped', () => {
    expect(list({ batchSize: 4, epoch: 2, skip: 1 })).toEqual(list({ batchSize: 4, epoch: 2 }).slice(1));
    expect(list({ batchSize: 4, epoch: 2, skip: 3 })).toEqual([]);
  });

  it.each([{ batchSize: 0 }, { batchSize: 2.5 }, { batchSize: 2, skip: -1 }, { batchSize: 2, epoch: -1 }])(
    'refuse %j',
    (options) => {
      expect(() => list(options)).toThrow(/an integer/);
    },
  );
});
