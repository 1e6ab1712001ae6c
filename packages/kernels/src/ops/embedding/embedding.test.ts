import { add, grad, sum, tensor1d, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, forAll, integers, normals, runPoisoned } from '../../testing';
import { halfValue } from '../../formats/half';
import { embeddingReference } from './reference';
import { embedding, tokenEmbedding } from '.';

const tableRow = (bits: ArrayLike<number>, id: number, columns: number): number[] =>
  Array.from({ length: columns }, (_, c) => halfValue(bits[id * columns + c]!));

describeBackends('embedding', (backend) => {
  it('adds the rows of both tables', async () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 50 }),
      columns: fc.integer({ min: 1, max: 40 }),
      tokens: fc.integer({ min: 1, max: 300 }),
      positionCount: fc.integer({ min: 1, max: 40 }),
    });
    await forAll(cases, async ({ rows, columns, tokens, positionCount }) => {
      const token = normals(1, tokens * columns);
      const position = normals(2, positionCount * columns);
      const idValues = integers(3, rows, tokens);
      const positionValues = integers(4, rows, positionCount);
      const inputs = [
        tensor1d(idValues, 'int32'),
        tensor1d(positionValues, 'int32'),
        tensor2d(token, [tokens, columns]),
        tensor2d(position, [positionCount, columns]),
      ] as const;
      const [y] = await runPoisoned(backend, () => [embedding(...inputs)]);
      const expected = embeddingReference(idValues, positionValues, { token, position, columns });
      await expectClose('embedding', backend, y!, expected, { relative: 1e-7 });
      for (const held of inputs) held.dispose();
    });
  });

  it('adds rows of a table in float16, two values a word', async () => {
    for (const columns of [2, 6, 8, 64]) {
      // Every exponent, both signs, subnormals.
      const bits = integers(9, 20 * columns, 2 ** 16).map((value) => ((value & 0x7c00) === 0x7c00 ? 0 : value));
      const words = Int32Array.from({ length: bits.length / 2 }, (_, i) => bits[2 * i]! | (bits[2 * i + 1]! << 16));
      const position = normals(2, 3 * columns);
      const [idValues, positionValues] = [integers(3, 33, 20), integers(4, 33, 3)];
      const inputs = [
        tensor1d(idValues, 'int32'),
        tensor1d(positionValues, 'int32'),
        tensor2d(words, [20, columns / 2], 'int32'),
        tensor2d(position, [3, columns]),
      ] as const;
      const [y, alone] = await runPoisoned(backend, () => [embedding(...inputs), tokenEmbedding(inputs[0], inputs[2])]);
      expect(Array.from(alone!)).toEqual([...idValues].flatMap((id) => tableRow(bits, id, columns)));
      const token = Float64Array.from(bits, halfValue);
      const expected = embeddingReference(idValues, positionValues, { token, position, columns });
      await expectClose('embedding, float16', backend, y!, expected, { relative: 1e-7 });
      for (const held of inputs) held.dispose();
    }
  });

  it('looks tokens up without positions, and refuses ids out of range', async () => {
    const table = tensor2d(normals(5, 12), [4, 3]);
    const picked = tensor1d([2, 0], 'int32');
    const [y] = await runPoisoned(backend, () => [tokenEmbedding(picked, table)]);
    expect(Array.from(y!)).toEqual([...normals(5, 12).slice(6, 9), ...normals(5, 12).slice(0, 3)]);
    expect(() => tokenEmbedding(ids(4), table)).toThrow('tokenEmbedding: ids[0] is 4');
    for (const held of [table, picked]) held.dispose();
  });

  const tables = () => [tensor2d(normals(1, 8), [4, 2]), tensor2d(normals(2, 6), [3, 2])] as const;
  const ids = (...values: number[]) => tensor1d(values, 'int32');

  it('answers an index out of range with an error', () => {
    const [token, position] = tables();
    expect(() => embedding(ids(0, 4), ids(0, 1), token, position)).toThrow(
      'ids[1] is 4, but it must lie between 0 and 3',
    );
    expect(() => embedding(ids(0, -1), ids(0, 1), token, position)).toThrow('ids[1] is -1');
    expect(() => embedding(ids(0, 1), ids(3, 0), token, position)).toThrow(
      'positions[0] is 3, but it must lie between 0 and 2',
    );
  });

  it.runIf(backend.name === 'webgpu')('answers a bad index that lies on the device alone with NaN', async () => {
    const [token, position] = tables();
    const zeros = ids(0, 0, 0, 0);
    const one = add<Tensor1D>(ids(0, 4, 2, -3), zeros);
    const two = add<Tensor1D>(ids(0, 1, 9, 2), zeros);
    const y = await embedding(one, two, token, position).data();
    expect(Array.from(y, Number.isNaN)).toEqual([false, false, true, true, true, true, true, true]);
  });

  it('says that its tables are frozen where a gradient is asked for', () => {
    const [token, position] = tables();
    const slope = grad((table) => sum(embedding(ids(1, 2), ids(0, 0), table as Tensor2D, position)));
    expect(() => slope(token)).toThrow('embedding: tokenTable is frozen and has no gradient');
  });

  it('refuses tables and indices that do not fit', () => {
    const [token, position] = tables();
    expect(() => embedding(ids(1), ids(0, 1), token, position)).toThrow('positions has shape [2], but [1] is needed');
    expect(() => embedding(ids(1), ids(1), token, tensor2d([1, 2, 3], [1, 3]))).toThrow(
      'positionTable has shape [1, 3]',
    );
    expect(() => embedding(tensor1d([1]), ids(1), token, position)).toThrow('ids has dtype float32');
  });
});

describe('embeddingReference', () => {
  it('looks up the row of each table', () => {
    const y = embeddingReference([1, 0], [2, 1], {
      token: [1, 2, 3, 4],
      position: [10, 20, 30, 40, 50, 60],
      columns: 2,
    });
    expect(Array.from(y)).toEqual([53, 64, 31, 42]);
  });
});
