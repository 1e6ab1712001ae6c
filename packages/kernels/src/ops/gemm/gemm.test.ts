import { grads, mul, sum, tensor1d, tensor2d, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeBackends, expectClose, expectDerivative, forAll, normals, runPoisoned } from '../../testing';
import { gemmReference } from './reference';
import { gemm } from '.';

// Extents around the tiles of every backend, 16, 32 and 64 wide.
const extent = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(15, 16, 17, 31, 33, 63, 64, 65, 70));

const cases = fc.record({
  M: extent,
  N: extent,
  K: extent,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  alpha: fc.constantFrom(1, 0.5, -2),
  withBias: fc.boolean(),
});

describeBackends('gemm', (backend) => {
  it('multiplies, transposes, scales and adds the bias, with the gradients of all three', async () => {
    await forAll(
      cases,
      async ({ M, N, K, transposeA, transposeB, alpha, withBias }) => {
        const [aValues, bValues] = [normals(1, M * K), normals(2, K * N)];
        const [biasValues, dyValues] = [normals(3, N), normals(4, M * N)];
        const shapeA: [number, number] = transposeA ? [K, M] : [M, K];
        const shapeB: [number, number] = transposeB ? [N, K] : [K, N];
        const a = tensor2d(aValues, shapeA);
        const b = tensor2d(bValues, shapeB);
        const bias = tensor1d(biasValues);
        const dy = tensor2d(dyValues, [M, N]);
        const run = (left: Tensor, right: Tensor, added: Tensor) =>
          gemm(left as Tensor2D, right as Tensor2D, {
            transposeA,
            transposeB,
            alpha,
            ...(withBias ? { bias: added as Tensor1D } : {}),
          });
        const results = await runPoisoned(backend, () => [
          run(a, b, bias),
          ...(withBias
            ? grads((x: Tensor, y: Tensor, z: Tensor) => sum(mul(run(x, y, z), dy)))([a, b, bias])
            : grads((x: Tensor, y: Tensor) => sum(mul(run(x, y, bias), dy)))([a, b])),
        ]);
        const left = { values: aValues, rows: shapeA[0], columns: shapeA[1] };
        const right = { values: bValues, rows: shapeB[0], columns: shapeB[1] };
        const slopes = { values: dyValues, rows: M, columns: N };
        const flip = <Matrix>(matrix: Matrix, transposed: boolean) => ({ ...matrix, transposed });
        const product = gemmReference(
          flip(left, transposeA),
          flip(right, transposeB),
          alpha,
          withBias ? biasValues : undefined,
        );
        await expectClose('gemm', backend, results[0]!, product, { relative: 1e-5 });
        const da = transposeA
          ? gemmReference(flip(right, transposeB), flip(slopes, true), alpha)
          : gemmReference(slopes, flip(right, !transposeB), alpha);
        await expectClose('gemm by a', backend, results[1]!, da, { relative: 1e-5 });
        const db = transposeB
          ? gemmReference(flip(slopes, true), flip(left, transposeA), alpha)
          : gemmReference(flip(left, !transposeA), slopes, alpha);
        await expectClose('gemm by b', backend, results[2]!, db, { relative: 1e-5 });
        if (withBias) {
          const columnSums = gemmReference({ values: new Float32Array(M).fill(1), rows: 1, columns: M }, slopes);
          await expectClose('gemm by bias', backend, results[3]!, columnSums, { relative: 1e-5 });
        }
        for (const held of [a, b, bias, dy]) held.dispose();
      },
      // Each may compile shaders.
      backend.name === 'webgpu' ? 10 : 24,
    );
  });

  it('gives the bias alone where the sums are empty, and nothing where there are no rows', async () => {
    const bias = tensor1d([1, 2, 3]);
    const empty = gemm(tensor2d([], [2, 0]), tensor2d([], [0, 3]), { bias });
    expect([...(await empty.data())]).toEqual([1, 2, 3, 1, 2, 3]);
    const none = gemm(tensor2d([], [0, 4]), tensor2d(normals(1, 12), [4, 3]));
    expect(none.shape).toEqual([0, 3]);
    expect((await none.data()).length).toBe(0);
  });

  it('refuses factors that do not meet, and says which', () => {
    const a = tensor2d(normals(1, 6), [2, 3]);
    expect(() => gemm(a, a)).toThrow('gemm: a [2, 3] and b [2, 3] do not share their inner dimension');
    expect(() => gemm(a, a, { transposeA: true, bias: tensor1d([1]) })).toThrow(/bias has shape \[1\], but \[3\]/);
    expect(() => gemm(a, tensor2d([[1], [2], [3]], [3, 1], 'int32'))).toThrow(/b has dtype int32/);
    a.dispose();
  });
});

it('has the derivative of its reference', () => {
  const b = { values: normals(2, 6), rows: 3, columns: 2 };
  const dy = normals(3, 8);
  const value = (x: Float64Array) =>
    gemmReference({ values: x, rows: 4, columns: 3 }, b, 0.5).reduce((total, y, i) => total + y * dy[i]!, 0);
  const slope = gemmReference({ values: dy, rows: 4, columns: 2 }, { ...b, transposed: true }, 0.5);
  expectDerivative(value, normals(1, 12), slope);
});
