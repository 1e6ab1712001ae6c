import { matMul, relu, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { normals } from '../testing';
import { summarise } from './profile';
import { describeWebgpu } from '../testing/webgpu';
import { plan } from '.';

describeWebgpu('profile', (device) => {
  it('counts dispatches by kernel and has the effect of a run', async () => {
    const step = plan(
      device(),
      ({ x }: { x: Tensor }) => relu(matMul(matMul(x as Tensor2D, x as Tensor2D), x as Tensor2D)),
      {
        x: { shape: [8, 8], dtype: 'float32' },
      },
    );
    const x = normals(1, 64);
    step.run({ x });
    const expected = await step.read('value');
    step.run({ x: new Float32Array(64) });
    const profile = step.profile({ x });
    if (!device().gpuDevice!.features.has('timestamp-query')) {
      await expect(profile).rejects.toMatchObject({ code: 'NO_FEATURE' });
    } else {
      const { rows, dispatches } = await profile;
      expect(dispatches).toBe(3);
      expect(Object.fromEntries(rows.map((row) => [row.label.split(' ')[0], row.dispatches]))).toEqual({
        BatchMatMul: 2,
        Relu: 1,
      });
      expect(await step.read('value')).toEqual(expected);
    }
    step.dispose();
  });
});

describe('the table of a profile', () => {
  it('adds up by label, longest first, with each share', () => {
    const { table, microseconds } = summarise([
      { label: 'gemm', nanoseconds: 2000 },
      { label: 'add', nanoseconds: 1000 },
      { label: 'gemm', nanoseconds: 5000 },
      { label: 'add', nanoseconds: -50 },
    ]);
    expect(microseconds).toBe(8);
    expect(`\n${table}\n`).toMatchInlineSnapshot(`
      "
      kernel  dispatches   us  us each    share
      gemm             2  7.0     3.50   87.5 %
      add              2  1.0     0.50   12.5 %
      all              4  8.0     2.00  100.0 %
      "
    `);
  });
});
