import { add, grad, mul, sum, tensor1d, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, forAll, integers, normals, runPoisoned } from '../../testing';
import { gatherRowsReference, scatterRowsReference } from './reference';
import { gatherRows } from '.';

describeBackends('gatherRows', (backend) => {
  it('picks rows and gives each its gradient back, rows picked twice too', async () => {
    const cases = fc.record({
      rowCount: fc.integer({ min: 1, max: 60 }),
      columns: fc.integer({ min: 1, max: 90 }),
      count: fc.integer({ min: 1, max: 20 }),
    });
    await forAll(cases, async ({ rowCount, columns, count }) => {
      const values = normals(1, rowCount * columns);
      const slopes = normals(2, count * columns);
      const picked = integers(3, count, rowCount);
      const x = tensor2d(values, [rowCount, columns]);
      const dy = tensor2d(slopes, [count, columns]);
      const rows = tensor1d(picked, 'int32');
      const results = await runPoisoned(backend, () => [
        gatherRows(x, rows),
        grad((input) => sum(mul(gatherRows(input as Tensor2D, rows), dy)))(x),
      ]);
      const expected = gatherRowsReference(values, columns, picked);
      await expectClose('gatherRows', backend, results[0]!, expected, { absolute: 0 });
      const slope = scatterRowsReference(slopes, columns, picked, rowCount);
      await expectClose('gatherRows backward', backend, results[1]!, slope, { absolute: 2e-6 });
      for (const held of [x, dy, rows]) held.dispose();
    });
  });

  const rows = (...values: number[]) => tensor1d(values, 'int32');

  it('answers a row out of range with an error', () => {
    const x = tensor2d([1, 2, 3, 4], [2, 2]);
    expect(() => gatherRows(x, rows(1, 2))).toThrow('gatherRows: rows[1] is 2, but it must lie between 0 and 1');
    expect(() => gatherRows(x, rows(-1))).toThrow('rows[0] is -1');
    expect(() => gatherRows(x, tensor1d([0]))).toThrow('rows has dtype float32');
  });

  it.runIf(backend.name === 'webgpu')('answers a bad row that lies on the device alone with NaN', async () => {
    const x = tensor2d([1, 2, 3, 4], [2, 2]);
    const y = await gatherRows(x, add(rows(1, 2, -1), rows(0, 0, 0))).data();
    expect(Array.from(y)).toEqual([3, 4, NaN, NaN, NaN, NaN]);
  });
});

describe('scatterRowsReference', () => {
  it('adds up what goes to one row', () => {
    expect(Array.from(scatterRowsReference([1, 2, 3, 4, 5, 6], 2, [2, 0, 2], 3))).toEqual([3, 4, 0, 0, 6, 8]);
  });
});
