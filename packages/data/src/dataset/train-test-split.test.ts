import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dataset } from './dataset';
import { trainTestSplit } from './train-test-split';

const fifty = Dataset.fromRows(Array.from({ length: 50 }, (_, i) => ({ i, y: i % 7 })));

// Expected rows: datasets 4.x, Dataset.train_test_split with the same arguments.
describe('trainTestSplit', () => {
  it('draws the rows that Hugging Face draws', () => {
    const { train, test } = trainTestSplit(fifty, { testSize: 0.2, trainSize: 0.33, seed: 3 });
    expect(train.column('i')).toEqual([4, 3, 40, 46, 35, 18, 43, 48, 22, 12, 49, 1, 13, 37, 21, 20]);
    expect(test.column('i')).toEqual([2, 11, 17, 28, 32, 23, 30, 41, 25, 39]);
  });

  it('draws the stratified rows that Hugging Face draws, by fraction and by count', () => {
    const byFraction = trainTestSplit(fifty, { testSize: 0.3, seed: 3, stratifyBy: 'y' });
    expect(byFraction.test.column('i')).toEqual([45, 14, 21, 3, 2, 27, 25, 8, 11, 19, 40, 9, 1, 13, 49]);
    expect(byFraction.train.column('i').slice(0, 8)).toEqual([12, 43, 42, 24, 20, 29, 16, 10]);
    const byCount = trainTestSplit(fifty, { testSize: 13, seed: 3, stratifyBy: 'y' });
    expect(byCount.test.column('i')).toEqual([35, 21, 20, 46, 2, 3, 4, 10, 26, 9, 22, 41, 15]);
  });

  it('keeps the order where it must not shuffle', () => {
    const { train, test } = trainTestSplit(fifty, { testSize: 5, shuffle: false });
    expect(train.column('i').at(-1)).toBe(44);
    expect(test.column('i')).toEqual([45, 46, 47, 48, 49]);
  });

  it('rounds the test side up and takes a quarter by default', () => {
    expect(trainTestSplit(fifty, { testSize: 0.101 }).test.numRows).toBe(6);
    expect(trainTestSplit(fifty).test.numRows).toBe(13);
    expect(trainTestSplit(fifty, { trainSize: 0.55 }).train.numRows).toBe(27);
  });

  it('puts every row on one side, each class within a row of its share', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 30, maxLength: 120 }),
        fc.double({ min: 0.25, max: 0.75, noNaN: true }),
        fc.nat(),
        (classes, testSize, seed) => {
          const counts = new Map<number, number>();
          for (const value of classes) counts.set(value, (counts.get(value) ?? 0) + 1);
          fc.pre([...counts.values()].every((count) => count >= 2));
          const rows = Dataset.fromColumns({ i: classes.map((_, i) => i), y: classes });
          const { train, test } = trainTestSplit(rows, { testSize, seed, stratifyBy: 'y' });
          const all = [...train.column('i'), ...test.column('i')].sort((one, other) => one - other);
          expect(all).toEqual(classes.map((_, i) => i));
          for (const [value, count] of counts) {
            const drawn = train.column('y').filter((other) => other === value).length;
            expect(Math.abs(drawn - (count * train.numRows) / classes.length)).toBeLessThan(1);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    [{ testSize: 0 }, /testSize is a fraction between 0 and 1 or a count from 1 to 49 of the 50 rows, got 0/],
    [{ testSize: 1.5 }, /testSize/],
    [{ testSize: 50 }, /testSize/],
    [{ testSize: -0.1 }, /testSize/],
    [{ trainSize: NaN }, /trainSize/],
    [{ testSize: 0.6, trainSize: 0.6 }, /of 50 rows 30 would be for training and 30 for the test/],
    [{ testSize: 6, stratifyBy: 'y' }, /the test side has 6 rows for 7 classes/],
    [{ trainSize: 6, stratifyBy: 'y' }, /the train side has 6 rows for 7 classes/],
    [{ stratifyBy: 'z' }, /there is no column "z"/],
    [{ stratifyBy: 'y', shuffle: false }, /leave out stratifyBy or shuffle: false/],
    [{ stratifyBy: 'i' }, /the value 0 has one row, and a split needs at least 2/],
  ])('refuses %j', (options, message) => {
    expect(() => trainTestSplit(fifty, options)).toThrow(message);
  });

  it('refuses to stratify by lists, and to split one row', () => {
    const lists = Dataset.fromRows([{ y: [1] }, { y: [1] }, { y: [2] }, { y: [2] }]);
    expect(() => trainTestSplit(lists, { testSize: 2, stratifyBy: 'y' })).toThrow(/"y" holds an array of 1/);
    expect(() => trainTestSplit(Dataset.fromRows([{ y: 1 }]))).toThrow(/at least 2 rows/);
  });
});
