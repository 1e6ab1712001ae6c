import {
  add,
  grads,
  mul,
  sum,
  tensor1d,
  tensor2d,
  zerosLike,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, expectDerivative, forAll, normals, runPoisoned } from '../../testing';
import { rotaryBackwardReference, rotaryReference, type RotaryProblem } from './reference';
import { rotaryQkv } from '.';

/** Angles that are no pattern: position p turns pair d by p / (d + 1). */
function tableOf(positions: number, headSize: number): Float32Array {
  const half = headSize / 2;
  return Float32Array.from({ length: positions * headSize }, (_, i) => {
    const [position, d] = [Math.floor(i / headSize), i % headSize];
    return d < half ? Math.cos(position / (d + 1)) : Math.sin(position / (d - half + 1));
  });
}

describeBackends('rotaryQkv', (backend) => {
  it('and its gradients agree with the reference', async () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 30 }),
      keyValueHeads: fc.integer({ min: 1, max: 3 }),
      group: fc.integer({ min: 1, max: 3 }),
      headSize: fc.constantFrom(2, 6, 8, 16, 20, 64),
    });
    await forAll(cases, async ({ rows, keyValueHeads, group, headSize }) => {
      const heads = keyValueHeads * group;
      const known = 50;
      const table = tableOf(known, headSize);
      const positions = Int32Array.from({ length: rows }, (_, i) => (i * 17) % known);
      const problem: RotaryProblem = { rows, heads, keyValueHeads, headSize, positions, table };
      const widths = [heads * headSize, keyValueHeads * headSize, keyValueHeads * headSize];
      const values = widths.map((width, i) => normals(i, rows * width));
      const slopes = normals(9, rows * (heads + 2 * keyValueHeads) * headSize);
      const [q, k, v] = values.map((data, i) => tensor2d(data, [rows, widths[i]!]));
      const dy = tensor2d(slopes, [rows, slopes.length / rows]);
      const options = {
        heads,
        keyValueHeads,
        positions: tensor1d(positions, 'int32'),
        table: tensor2d(table, [known, headSize]),
      };
      const run = (...inputs: Tensor[]) => rotaryQkv(...(inputs as [Tensor2D, Tensor2D, Tensor2D]), options);
      const results = await runPoisoned(backend, () => [
        run(q!, k!, v!),
        ...grads((...inputs: Tensor[]) => sum(mul(run(...inputs), dy)))([q!, k!, v!]),
      ]);
      const tolerance = { absolute: 2e-6 };
      const expected = rotaryReference(values[0]!, values[1]!, values[2]!, problem);
      await expectClose('rotaryQkv', backend, results[0]!, expected, tolerance);
      const { dq, dk, dv } = rotaryBackwardReference(slopes, problem);
      await expectClose('rotaryQkv backward, q', backend, results[1]!, dq, tolerance);
      await expectClose('rotaryQkv backward, k', backend, results[2]!, dk, tolerance);
      await expectClose('rotaryQkv backward, v', backend, results[3]!, dv, tolerance);
      for (const held of [q!, k!, v!, dy, options.positions, options.table]) held.dispose();
    });
  });

  it.runIf(backend.name === 'webgpu')('answers a position that lies on the device alone with NaN', async () => {
    const fields = tensor1d([0, 9], 'int32');
    const options = {
      ...{ heads: 1, keyValueHeads: 1 },
      positions: add<Tensor1D>(fields, zerosLike(fields)),
      table: tensor2d(tableOf(3, 2), [3, 2]),
    };
    const [x, v] = [tensor2d([1, 0, 1, 0], [2, 2]), tensor2d([5, 6, 7, 8], [2, 2])];
    const y = await rotaryQkv(x, x, v, options).data();
    expect(Array.from(y)).toEqual([1, 0, 1, 0, 5, 6, NaN, NaN, NaN, NaN, 7, 8]);
    for (const held of [fields, options.positions, options.table, x, v]) held.dispose();
  });

  it('refuses what does not fit, with the numbers', () => {
    const matrix = (columns: number) => tensor2d(new Float32Array(2 * columns), [2, columns]);
    const options = {
      heads: 2,
      keyValueHeads: 1,
      positions: tensor1d([0, 1], 'int32'),
      table: tensor2d(tableOf(3, 4), [3, 4]),
    };
    expect(() => rotaryQkv(matrix(7), matrix(4), matrix(4), options)).toThrow('q has shape [2, 7], but [2, 8]');
    expect(() => rotaryQkv(matrix(8), matrix(8), matrix(4), options)).toThrow('k has shape [2, 8], but [2, 4]');
    expect(() =>
      rotaryQkv(matrix(8), matrix(4), matrix(4), { ...options, positions: tensor1d([0, 3], 'int32') }),
    ).toThrow('positions[1] is 3, but it must lie between 0 and 2');
    expect(() =>
      rotaryQkv(matrix(6), matrix(3), matrix(3), { ...options, table: tensor2d(new Float32Array(9), [3, 3]) }),
    ).toThrow('heads of 3 have no pairs');
  });
});

describe('rotaryReference', () => {
  it('turns pairs half a head apart', () => {
    // One head of four columns, at a position whose two angles are 90 and 0 degrees.
    const problem = { rows: 1, heads: 1, keyValueHeads: 1, headSize: 4, positions: [0], table: [0, 1, 1, 0] };
    expect(Array.from(rotaryReference([1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], problem))).toEqual([
      -3, 2, 1, 4, -7, 6, 5, 8, 9, 10, 11, 12,
    ]);
  });

  it('has the derivatives of its own forward pass', () => {
    const problem = {
      ...{ rows: 3, heads: 2, keyValueHeads: 1, headSize: 4 },
      ...{ positions: [4, 0, 2], table: tableOf(5, 4) },
    };
    const [q, k, v, dy] = [normals(1, 24), normals(2, 12), normals(3, 12), normals(4, 48)];
    const value = (...inputs: [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>]): number =>
      rotaryReference(...inputs, problem).reduce((total, y, i) => total + y * dy[i]!, 0);
    const { dq, dk, dv } = rotaryBackwardReference(dy, problem);
    expectDerivative((moved) => value(moved, k, v), q, dq);
    expectDerivative((moved) => value(q, moved, v), k, dk);
    expectDerivative((moved) => value(q, k, moved), v, dv);
  });
});
