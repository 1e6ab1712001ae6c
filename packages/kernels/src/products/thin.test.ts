import { tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeBackends, expectClose, forAll, normals, runPoisoned } from '../testing';
import { gemmReference } from '../ops/gemm/reference';
import { isThin, shareDepth } from './thin';
import { gemm } from '../ops/gemm';

const cases = fc.record({
  long: fc.constantFrom(64, 65, 100, 130),
  thin: fc.constantFrom(4, 8, 16, 20),
  K: fc.constantFrom(64, 65, 96, 130, 257),
  thinRows: fc.boolean(),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
});

describeBackends('gemm with a short side', (backend) => {
  it('multiplies as the reference does', async () => {
    await forAll(
      cases,
      async ({ long, thin, K, thinRows, transposeA, transposeB }) => {
        const [M, N] = thinRows ? [thin, long] : [long, thin];
        const [as, bs] = [normals(1, M * K), normals(2, K * N)];
        const a = tensor2d(as, transposeA ? [K, M] : [M, K]);
        const b = tensor2d(bs, transposeB ? [N, K] : [K, N]);
        const product = await runPoisoned(backend, () => [gemm(a, b, { transposeA, transposeB, alpha: 0.5 })]);
        const [rowsA, columnsA] = a.shape;
        const [rowsB, columnsB] = b.shape;
        const expected = gemmReference(
          { values: as, rows: rowsA, columns: columnsA, transposed: transposeA },
          { values: bs, rows: rowsB, columns: columnsB, transposed: transposeB },
          0.5,
        );
        await expectClose('gemm with a short side', backend, product[0]!, expected, { relative: 1e-5 });
        for (const held of [a, b]) held.dispose();
      },
      backend.name === 'webgpu' ? 12 : 16,
    );
  });
});

it('shares the depth so that every step is summed once', () => {
  for (const [tiles, depth] of [
    [6, 1024],
    [128, 4096],
    [1, 65],
    [5000, 96],
  ] as const) {
    const { splits, share } = shareDepth(tiles, depth);
    expect(share % 32).toBe(0);
    expect((splits - 1) * share).toBeLessThan(depth);
    expect(splits * share).toBeGreaterThanOrEqual(depth);
  }
  expect(shareDepth(6, 1024).splits).toBe(16);
});

it('is for products that are long and deep enough, and whose values come in fours', () => {
  expect(isThin({ M: 384, N: 16, K: 1024 })).toBe(true);
  expect(isThin({ M: 16, N: 4096, K: 384 })).toBe(true);
  expect(isThin({ M: 384, N: 16, K: 16 })).toBe(false);
  expect(isThin({ M: 65, N: 3, K: 100 })).toBe(false);
  expect(isThin({ M: 384, N: 64, K: 1024 })).toBe(false);
});
