import {
  add,
  grads,
  mul,
  sum,
  tensor1d,
  tensor2d,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, expectDerivative, forAll, normals, runPoisoned } from '../../testing';
import { rmsNormBackwardReference, rmsNormReference } from './reference';
import { rmsNorm, rmsNormBranch } from '.';

describeBackends('rmsNorm', (backend) => {
  it('and its gradients by x and weight agree with the reference', async () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 40 }),
      columns: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(64, 128, 257, 576)),
      epsilon: fc.constantFrom(1e-5, 1e-6, 1e-2),
    });
    await forAll(cases, async ({ rows, columns, epsilon }) => {
      const values = normals(rows, rows * columns);
      const scales = normals(2, columns);
      const slopes = normals(4, rows * columns);
      const [x, dy] = [values, slopes].map((data) => tensor2d(data, [rows, columns]));
      const weight = tensor1d(scales);
      const run = (a: Tensor, b: Tensor) => rmsNorm(a as Tensor2D, b as Tensor1D, epsilon);
      const results = await runPoisoned(backend, () => [
        run(x!, weight),
        ...grads((a, b) => sum(mul(run(a, b), dy!)))([x!, weight]),
      ]);
      const expected = rmsNormReference(values, scales, epsilon);
      await expectClose('rmsNorm', backend, results[0]!, expected, { absolute: 5e-6 });
      const { dx, dweight } = rmsNormBackwardReference(slopes, values, scales, epsilon);
      // A single column is ±1 whatever x is: its slope is the difference of two that are nearly equal, over |x|.
      if (columns >= 4) await expectClose('rmsNorm backward, x', backend, results[1]!, dx, { absolute: 2e-5 });
      const total = { absolute: 5e-6 * Math.sqrt(rows) };
      await expectClose('rmsNorm backward, weight', backend, results[2]!, dweight, total);
      for (const held of [x!, dy!, weight]) held.dispose();
    });
  });

  it('hands x on beside it and adds the gradient that comes back', async () => {
    for (const columns of [7, 64]) {
      const [values, slopes, residualSlopes] = [1, 2, 3].map((seed) => normals(seed, 5 * columns));
      const [x, dy, residual] = [values, slopes, residualSlopes].map((data) => tensor2d(data!, [5, columns]));
      const scales = normals(4, columns);
      const weight = tensor1d(scales);
      const results = await runPoisoned(backend, () => [
        ...rmsNormBranch(x!, weight, 1e-5),
        ...grads((given: Tensor) => {
          const [y, same] = rmsNormBranch(given as Tensor2D, weight, 1e-5);
          return add(sum(mul(y, dy!)), sum(mul(same, residual!)));
        })([x!]),
      ]);
      const tolerance = { absolute: 5e-6 };
      await expectClose('rmsNorm', backend, results[0]!, rmsNormReference(values!, scales, 1e-5), tolerance);
      expect(results[1]).toEqual(Float32Array.from(values!));
      const { dx } = rmsNormBackwardReference(slopes!, values!, scales, 1e-5);
      const expected = dx.map((value, i) => value + residualSlopes![i]!);
      await expectClose('rmsNorm backward, x and residual', backend, results[2]!, expected, tolerance);
      for (const held of [x!, dy!, residual!, weight]) held.dispose();
    }
  });

  it('refuses shapes that do not fit, naming them', () => {
    const x = tensor2d([1, 2, 3, 4], [2, 2]);
    expect(() => rmsNorm(x, tensor1d([1, 2, 3]))).toThrow('rmsNorm: weight has shape [3], but [2] is needed');
    expect(() => rmsNorm(tensor1d([1]) as Tensor as Tensor2D, tensor1d([1]))).toThrow('x has shape [1], but rank 2');
  });
});

describe('rmsNormReference', () => {
  it('divides by the root of the mean square, not by the deviation', () => {
    // Mean square of 1, 1, 1, 5 is 7, the variance 3.
    const y = rmsNormReference([1, 1, 1, 5], [1, 1, 1, 2], 9);
    expect(Array.from(y)).toEqual([0.25, 0.25, 0.25, 2.5]);
  });

  it('has the derivatives of its own forward pass', () => {
    const [x, weight, dy] = [normals(1, 21), normals(2, 7), normals(4, 21)];
    const value = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      rmsNormReference(a, b, 1e-3).reduce((total, y, i) => total + y * dy[i]!, 0);
    const { dx, dweight } = rmsNormBackwardReference(dy, x, weight, 1e-3);
    expectDerivative((moved) => value(moved, weight), x, dx);
    expectDerivative((moved) => value(x, moved), weight, dweight);
  });
});
