import { grad, grads, memory, mul, sum, tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomState } from '../../random/dropout-stream';
import { describeBackends, expectClose, forAll, normals, runPoisoned } from '../../testing';
import { dropoutReference } from './reference';
import { dropout, dropoutAdd } from '.';

describeBackends('dropout', (backend) => {
  it('keeps and scales what the reference keeps, on any shape, and its gradient uses the same mask', async () => {
    const cases = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      rate: fc.double({ min: 0.01, max: 0.95, noNaN: true }),
      site: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      seed: fc.maxSafeNat(),
      step: fc.nat(),
      first: fc.integer({ min: -5, max: 2 ** 31 }),
    });
    await forAll(cases, async ({ shape, rate, site, seed, step, first }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const values = normals(1, size);
      const slopes = normals(2, size);
      const x = tensor(values, shape);
      const dy = tensor(slopes, shape);
      const columns = shape.at(-1)!;
      // Rows' numbers are none of their places.
      const numbers = Array.from({ length: size / columns }, (_, row) => first + 3 * row);
      const random = randomState({ seed, step }, numbers);
      const state = await random.data();
      const options = { rate, random, site };
      const results = await runPoisoned(backend, () => [
        dropout(x, options),
        dropoutAdd(x, dy, options),
        grad((input) => sum(mul(dropout(input, options), dy)))(x),
      ]);
      const expected = dropoutReference(values, state, { rate, site, columns });
      await expectClose('dropout', backend, results[0]!, expected, { relative: 1e-7 });
      const added = expected.map((value, i) => value + slopes[i]!);
      await expectClose('dropoutAdd', backend, results[1]!, added, { relative: 2e-7 });
      const slope = dropoutReference(slopes, state, { rate, site, columns });
      await expectClose('dropout backward', backend, results[2]!, slope, { relative: 1e-7 });
      for (const held of [x, dy, random]) held.dispose();
    });
  });

  it('gives dropoutAdd gradients to both sides', async () => {
    const [x, residual, dy] = [1, 2, 3].map((seed) => tensor(normals(seed, 30), [5, 6]));
    const random = randomState({ seed: 3, step: 9 }, 5);
    const options = { rate: 0.25, random, site: 4 };
    const results = await runPoisoned(backend, () =>
      grads((a: Tensor, b: Tensor) => sum(mul(dropoutAdd(a, b, options), dy!)))([x!, residual!]),
    );
    const slope = dropoutReference(await dy!.data(), await random.data(), { rate: 0.25, site: 4, columns: 6 });
    await expectClose('dropoutAdd backward', backend, results[0]!, slope, { relative: 1e-7 });
    await expectClose('dropoutAdd backward', backend, results[1]!, await dy!.data(), { absolute: 0 });
  });

  it('drops about the share it is told to, and other elements at another site, step or row', async () => {
    const size = 20_000;
    const ones = tensor1d(new Float32Array(size).fill(1));
    const mask = async (site: number, step: number, row: number): Promise<number[]> => {
      const options = { rate: 0.1, site, random: randomState({ seed: 7, step }, [row]) };
      const [values] = await runPoisoned(backend, () => [dropout(ones, options)]);
      return Array.from(values!, (value) => (value === 0 ? 1 : 0));
    };
    const first = await mask(0, 0, 0);
    const dropped = first.reduce((total, value) => total + value, 0);
    // Five standard deviations of a binomial count with p = 0.1.
    expect(Math.abs(dropped - 0.1 * size)).toBeLessThan(5 * Math.sqrt(0.09 * size));
    for (const [site, step, row] of [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ] as const) {
      const other = await mask(site, step, row);
      const both = other.reduce((total, value, i) => total + value * first[i]!, 0);
      // Independent masks share 1 % of the elements, not 10 %.
      expect(both / size).toBeLessThan(0.015);
    }
  });

  it('gives a row the same mask wherever it lies, and whoever lies beside it', async () => {
    const columns = 24;
    const values = normals(6, 3 * columns);
    const masked = async (rows: readonly number[]): Promise<Float32Array[]> => {
      const part = (row: number) => values.subarray(row * columns, (row + 1) * columns);
      const x = tensor(
        rows.flatMap((row) => [...part(row)]),
        [rows.length, columns],
      );
      const random = randomState(
        { seed: 5, step: 3 },
        rows.map((row) => 100 + row),
      );
      const [found] = await runPoisoned(backend, () => [dropout(x, { rate: 0.5, random, site: 2 })]);
      for (const held of [x, random]) held.dispose();
      return rows.map((_, at) => found!.slice(at * columns, (at + 1) * columns) as Float32Array);
    };
    const together = await masked([0, 1, 2]);
    expect(await masked([2, 0])).toEqual([together[2], together[0]]);
    expect(await masked([1])).toEqual([together[1]]);
  });

  it('is the identity at rate 0, as a tensor of its own', async () => {
    const x = tensor([1, -2, 3]);
    const options = { rate: 0, random: randomState({ seed: 0, step: 0 }, 1), site: 0 };
    const before = memory().numTensors;
    const y = dropout(x, options);
    const added = dropoutAdd(x, y, options);
    expect(Array.from(await y.data())).toEqual([1, -2, 3]);
    expect(Array.from(await added.data())).toEqual([2, -4, 6]);
    y.dispose();
    expect(x.isDisposed).toBe(false);
    added.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it('makes a dropped infinity 0 and keeps others', async () => {
    const x = tensor1d(new Float32Array(64).fill(Infinity));
    const random = randomState({ seed: 1, step: 0 }, 1);
    const [values] = await runPoisoned(backend, () => [dropout(x, { rate: 0.5, random, site: 0 })]);
    expect(new Set(values)).toEqual(new Set([0, Infinity]));
  });

  it('refuses bad arguments by name', () => {
    const x = tensor1d([1, 2]);
    const random = randomState({ seed: 0, step: 0 }, 1);
    expect(() => dropout(x, { rate: 1, random, site: 0 })).toThrow('dropout rate 1 is not in [0, 1)');
    expect(() => dropout(x, { rate: 0.1, random, site: -1 })).toThrow('site -1');
    expect(() => dropout(x, { rate: 0.1, random: tensor1d([1, 2, 3], 'int32'), site: 0 })).toThrow(
      'random has shape [3]',
    );
    expect(() => dropout(x, { rate: 0.1, random: tensor1d([1, 2, 3, 4, 5]), site: 0 })).toThrow(
      'random has dtype float32',
    );
    expect(() => dropout(tensor1d([1, 2], 'int32'), { rate: 0.1, random, site: 0 })).toThrow('x has dtype int32');
    expect(() => dropoutAdd(x, tensor1d([1, 2, 3]), { rate: 0.1, random, site: 0 })).toThrow('residual has shape [3]');
  });
});

describe('dropoutReference', () => {
  it('draws each element from its own counter, whatever comes before it', () => {
    const random = [1, 2, 3, 0, 4];
    const ones = new Float64Array(40).fill(1);
    const whole = dropoutReference(ones, random, { rate: 0.5, site: 6, columns: 40 });
    const start = dropoutReference(ones.subarray(0, 13), random, { rate: 0.5, site: 6, columns: 13 });
    expect(Array.from(start)).toEqual(Array.from(whole.subarray(0, 13)));
    expect(new Set(whole)).toEqual(new Set([0, 2]));
  });
});
