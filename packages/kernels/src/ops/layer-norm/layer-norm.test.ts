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
import { layerNormBackwardReference, layerNormReference } from './reference';
import { layerNorm, layerNormBranch } from '.';

describeBackends('layerNorm', (backend) => {
  it('and its gradients by x, gamma and beta agree with the reference', async () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 40 }),
      columns: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(128, 257, 768, 1024)),
      // Of the standard deviation: a row of mean 1000 loses its digits where variance is taken as E[x²] - E[x]².
      mean: fc.constantFrom(0, -3, 1000),
      epsilon: fc.constantFrom(1e-5, 1e-12, 1e-2),
    });
    await forAll(cases, async ({ rows, columns, mean, epsilon }) => {
      const values = normals(rows, rows * columns, 1, mean);
      const scales = normals(2, columns);
      const shifts = normals(3, columns);
      const slopes = normals(4, rows * columns);
      const [x, dy] = [values, slopes].map((data) => tensor2d(data, [rows, columns]));
      const [gamma, beta] = [tensor1d(scales), tensor1d(shifts)];
      const run = (a: Tensor, b: Tensor, c: Tensor) => layerNorm(a as Tensor2D, b as Tensor1D, c as Tensor1D, epsilon);
      const results = await runPoisoned(backend, () => [
        run(x!, gamma, beta),
        ...grads((a, b, c) => sum(mul(run(a, b, c), dy!)))([x!, gamma, beta]),
      ]);
      // A single column normalises to 0 / sqrt(epsilon), where one rounding of the mean is all there is.
      const large = columns < 4 || mean !== 0;
      const expected = layerNormReference(values, scales, shifts, epsilon);
      const suffix = large ? ' (mean 1000, or few columns)' : '';
      const tolerance = { absolute: large ? 5e-4 : 5e-6 };
      await expectClose(`layerNorm${suffix}`, backend, results[0]!, expected, tolerance);
      const { dx, dgamma, dbeta } = layerNormBackwardReference(slopes, values, scales, epsilon);
      if (columns >= 4) {
        await expectClose(`layerNorm backward, x${suffix}`, backend, results[1]!, dx, tolerance);
      }
      const total = { absolute: (large ? 1e-3 : 5e-6) * Math.sqrt(rows) };
      await expectClose(`layerNorm backward, gamma${suffix}`, backend, results[2]!, dgamma, total);
      await expectClose(`layerNorm backward, beta${suffix}`, backend, results[3]!, dbeta, { absolute: 2e-5 });
      for (const held of [x!, dy!, gamma, beta]) held.dispose();
    });
  });

  it('hands x on beside it and adds the gradient that comes back', async () => {
    for (const columns of [7, 64]) {
      const [values, slopes, residualSlopes] = [1, 2, 3].map((seed) => normals(seed, 5 * columns));
      const [x, dy, residual] = [values!, slopes!, residualSlopes!].map((data) => tensor2d(data, [5, columns]));
      const [scales, shifts] = [normals(4, columns), normals(5, columns)];
      const [gamma, beta] = [tensor1d(scales), tensor1d(shifts)];
      const results = await runPoisoned(backend, () => [
        ...layerNormBranch(x!, gamma, beta),
        ...grads((given: Tensor) => {
          const [y, same] = layerNormBranch(given as Tensor2D, gamma, beta);
          return add(sum(mul(y, dy!)), sum(mul(same, residual!)));
        })([x!]),
      ]);
      const tolerance = { absolute: 5e-6 };
      await expectClose(
        'layerNorm',
        backend,
        results[0]!,
        layerNormReference(values!, scales, shifts, 1e-5),
        tolerance,
      );
      expect(results[1]).toEqual(Float32Array.from(values!));
      const { dx } = layerNormBackwardReference(slopes!, values!, scales, 1e-5);
      const expected = dx.map((value, i) => value + residualSlopes![i]!);
      await expectClose('layerNorm backward, x and residual', backend, results[2]!, expected, tolerance);
      for (const held of [x!, dy!, residual!, gamma, beta]) held.dispose();
    }
  });

  it('gives beta for a row of equal values', async () => {
    const [y] = await runPoisoned(backend, () => [
      layerNorm(tensor2d([5, 5, 5, 5], [1, 4]), tensor1d([1, 2, 3, 4]), tensor1d([9, 8, 7, 6])),
    ]);
    expect(Array.from(y!)).toEqual([9, 8, 7, 6]);
  });

  it('refuses shapes that do not fit, naming them', () => {
    const x = tensor2d([1, 2, 3, 4], [2, 2]);
    const two = tensor1d([1, 2]);
    expect(() => layerNorm(x, tensor1d([1, 2, 3]), two)).toThrow('layerNorm: gamma has shape [3], but [2] is needed');
    expect(() => layerNorm(x, two, tensor1d([1]))).toThrow('layerNorm: beta has shape [1], but [2] is needed');
    expect(() => layerNorm(two as Tensor as Tensor2D, two, two)).toThrow('x has shape [2], but rank 2 is needed');
  });
});

describe('layerNormReference', () => {
  it('normalises to mean 0 and biased variance 1', () => {
    // Mean 2.5, variance 1.25.
    const y = layerNormReference([1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 0, 0], 0);
    expect(Array.from(y, (value) => value * Math.sqrt(1.25))).toEqual([-1.5, -0.5, 0.5, 1.5]);
  });

  it('has the derivatives of its own forward pass', () => {
    const [x, gamma, beta, dy] = [normals(1, 21), normals(2, 7), normals(3, 7), normals(4, 21)];
    const value = (a: ArrayLike<number>, b: ArrayLike<number>, c: ArrayLike<number>): number =>
      layerNormReference(a, b, c, 1e-3).reduce((total, y, i) => total + y * dy[i]!, 0);
    const { dx, dgamma, dbeta } = layerNormBackwardReference(dy, x, gamma, 1e-3);
    expectDerivative((moved) => value(moved, gamma, beta), x, dx);
    expectDerivative((moved) => value(x, moved, beta), gamma, dgamma);
    expectDerivative((moved) => value(x, gamma, moved), beta, dbeta);
  });
});
