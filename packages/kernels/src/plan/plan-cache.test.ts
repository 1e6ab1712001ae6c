import { add, matMul, square, sum, tensor, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { normals } from '../testing';
import { describeWebgpu } from '../testing/webgpu';
import { PlanCache, type TensorSpec } from '.';

describeWebgpu('PlanCache', (device) => {
  const bucket = (batch: number, length: number): { x: TensorSpec } => ({
    x: { shape: [batch, length], dtype: 'float32' },
  });
  const run = ({ x }: { x: Tensor }): Tensor => sum(square(add(square(x), 1)), 1);
  const expected = (x: Float32Array, length: number): number[] =>
    Array.from({ length: x.length / length }, (_, row) =>
      x.subarray(row * length, (row + 1) * length).reduce((total, v) => total + (v * v + 1) ** 2, 0),
    );

  it('records one step a shape and shares the memory of their intermediates', async () => {
    const cache = new PlanCache(device(), run);
    const small = cache.step(bucket(2, 8));
    for (const length of [8, 32, 16, 8]) {
      const x = normals(length, 2 * length);
      const step = cache.step(bucket(2, length));
      step.run({ x });
      const found = await step.read('value');
      expected(x, length).forEach((value, row) => expect(found[row]).toBeCloseTo(value, 2));
    }
    expect(cache.size).toBe(3);
    expect(cache.step(bucket(2, 8))).toBe(small);
    const largest = cache.step(bucket(2, 32)).memory.arenaBytes;
    expect(
      cache.bytes - [8, 16, 32].reduce((bytes, length) => bytes + cache.step(bucket(2, length)).memory.ownBytes, 0),
    ).toBe(largest);
    cache.dispose();
    expect(device().memory().byOwner['plan arena']!.currentBytes).toBe(0);
  });

  it('lets the least recently used step go', () => {
    const cache = new PlanCache(device(), run, { maximumSteps: 2 });
    const [first, second] = [cache.step(bucket(1, 8)), cache.step(bucket(1, 16))];
    cache.step(bucket(1, 8));
    cache.step(bucket(1, 24));
    expect(() => second.run({ x: normals(1, 16) })).toThrow(/disposed of/);
    expect(cache.step(bucket(1, 8))).toBe(first);
    cache.dispose();
  });

  it('keeps to its budget, and says so where one step alone is above it', () => {
    const need = new PlanCache(device(), run);
    const { peakBytes } = need.step(bucket(4, 64)).memory;
    need.dispose();
    const cache = new PlanCache(device(), run, { budgetBytes: peakBytes });
    cache.step(bucket(4, 64)).run({ x: new Float32Array(256) });
    cache.step(bucket(4, 56));
    expect(cache.size).toBe(1);
    cache.step(bucket(4, 64)).run({ x: new Float32Array(256) });
    expect(cache.bytes).toBeLessThanOrEqual(peakBytes);
    expect(() => cache.step(bucket(64, 640))).toThrow(/budget/);
    cache.dispose();
  });

  it('tells steps of other dtypes and names apart', () => {
    const weights = tensor(normals(1, 4), [2, 2]);
    const cache = new PlanCache(device(), ({ x }: { x: Tensor }) => matMul(x as Tensor2D, weights as Tensor2D));
    const float = cache.step({ x: { shape: [1, 2], dtype: 'float32' } });
    expect(cache.step({ x: { shape: [2, 2], dtype: 'float32' } })).not.toBe(float);
    expect(cache.report()).toMatch(/step x float32 1x2: 1 dispatches/);
    cache.dispose();
    weights.dispose();
  });
});
