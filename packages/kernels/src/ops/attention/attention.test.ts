import { add, grad, mul, sum, tensor2d, zerosLike, type Tensor2D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { randomState, randomWords } from '../../random/dropout-stream';
import {
  describeBackends,
  expectClose,
  expectDerivative,
  forAll,
  normals,
  once,
  runPoisoned,
  type TestBackend,
} from '../../testing';
import { attentionBackwardReference, attentionReference, type AttentionProblem } from './reference';
import { attention } from '.';

interface Case {
  readonly heads: number;
  readonly keyValueHeads?: number;
  readonly headSize: number;
  /** Rows before each sequence that belong to none, its length, and its keys as shares of the length. */
  readonly layout: readonly { gap: number; rowCount: number; start: number; end: number }[];
  readonly tail: number;
  /** keyStride beyond the longest sequence */
  readonly spare: number;
  readonly rate: number;
}

interface Layout {
  readonly rows: number;
  readonly sequences: number[];
  readonly keyStride: number;
}

function layOut({ layout, tail, spare }: Case): Layout {
  const sequences: number[] = [];
  let rows = 0;
  let keyStride = 1;
  for (const { gap, rowCount, start, end } of layout) {
    rows += gap;
    sequences.push(rows, rowCount, Math.floor(start * rowCount), Math.ceil(end * rowCount));
    rows += rowCount;
    keyStride = Math.max(keyStride, rowCount);
  }
  return { rows: rows + tail, sequences, keyStride: keyStride + spare };
}

const POSITION = { seed: 11, step: 2 };
/** Numbers of rows, none of them its place. */
const numbersOf = (rows: number): number[] => Array.from({ length: rows }, (_, row) => 3 * row - 7);

/** A case's numbers, and both passes by the reference. */
const problemOf = once((options: Case) => {
  const { heads, keyValueHeads = heads, headSize, rate } = options;
  const { rows, sequences, keyStride } = layOut(options);
  const problem: AttentionProblem = {
    qkv: normals(rows, rows * (heads + 2 * keyValueHeads) * headSize),
    rows,
    heads,
    keyValueHeads,
    headSize,
    scale: 1 / Math.sqrt(headSize),
    sequences,
    keyStride,
    dropout: rate === 0 ? undefined : { rate, site: 5, random: randomWords(POSITION, numbersOf(rows)) },
  };
  const dy = normals(headSize, rows * heads * headSize);
  return { problem, dy, result: attentionReference(problem), slope: attentionBackwardReference(problem, dy) };
});

/** Forward and backward pass against the reference, with memory poisoned. */
async function check(backend: TestBackend, options: Case, name = 'attention'): Promise<void> {
  const { problem, dy: dyValues, result, slope } = problemOf(options);
  const { rows, heads, keyValueHeads, headSize, scale, sequences, keyStride } = problem;
  const { rate } = options;
  const qkv = tensor2d(Float32Array.from(problem.qkv), [rows, problem.qkv.length / rows]);
  const dy = tensor2d(dyValues, [rows, heads * headSize]);
  const layout = tensor2d(Array.from(sequences), [sequences.length / 4, 4], 'int32');
  const random = randomState(POSITION, numbersOf(rows));
  const dropout = rate === 0 ? undefined : { rate, random, site: 5 };
  const run = (x: Tensor2D): Tensor2D => attention(x, layout, { heads, keyValueHeads, scale, keyStride, dropout });
  const results = await runPoisoned(backend, () => [run(qkv), grad((x) => sum(mul(run(x as Tensor2D), dy)))(qkv)]);
  // Subgroup matrices have float16 factors.
  const half = backend.matrices && headSize % 16 === 0 && (rate === 0 || keyStride % 8 === 0);
  await expectClose(name, backend, results[0]!, result, { absolute: half ? 5e-3 : 5e-6 });
  await expectClose(`${name} backward`, backend, results[1]!, slope, { absolute: half ? 2e-2 : 2e-5 });
  for (const held of [qkv, dy, layout, random]) held.dispose();
}

const full = (rowCount: number, gap = 0) => ({ gap, rowCount, start: 0, end: 1 });
const plain = { tail: 0, spare: 0, rate: 0 };

describeBackends(
  'attention',
  (backend) => {
    it('agrees with the reference on random layouts, head sizes and dropout', async () => {
      const sequence = fc.record({
        gap: fc.integer({ min: 0, max: 3 }),
        rowCount: fc.integer({ min: 0, max: 40 }),
        start: fc.constantFrom(0, 0, 0.3, 1),
        end: fc.constantFrom(1, 1, 0.7, 0),
      });
      const cases = fc.record({
        heads: fc.integer({ min: 1, max: 3 }),
        headSize: fc.constantFrom(1, 4, 7, 16, 24, 32),
        layout: fc.array(sequence, { minLength: 0, maxLength: 3 }),
        tail: fc.integer({ min: 1, max: 3 }),
        spare: fc.integer({ min: 0, max: 5 }),
        rate: fc.constantFrom(0, 0.1, 0.5),
      });
      await forAll(cases, (options) => check(backend, options), 24);
    });

    // SwiftShader's compiler ends the process at emulated matrices of heads of 128.
    const headSizes = backend.emulated ? [16, 48, 64] : [16, 32, 48, 64, 80, 96, 128];
    it.each(headSizes)('takes heads of %d, over tile borders', async (headSize) => {
      await check(backend, { ...plain, heads: 2, headSize, layout: [full(33), full(31, 1)] });
      await check(backend, { ...plain, heads: 1, headSize, layout: [full(65)], rate: 0.2, spare: 3 });
    });

    it('shares heads of keys and values among those of queries', async () => {
      for (const headSize of backend.emulated ? [16] : [7, 16, 64]) {
        const shared = { ...plain, headSize, tail: 2, layout: [full(33), full(20, 1)] };
        await check(backend, { ...shared, heads: 6, keyValueHeads: 2, rate: 0.2, spare: 7 });
        await check(backend, { ...shared, heads: 3, keyValueHeads: 1 });
      }
    });

    it('is right for 1,024 positions', async () => {
      await check(
        backend,
        { ...plain, heads: 1, headSize: 16, layout: [full(1024)], rate: 0.1 },
        'attention, 1024 rows',
      );
    });

    it.runIf(backend.name === 'webgpu')('fits the smallest GPUs, with 16 KiB of workgroup memory', async () => {
      const limits = Object.getPrototypeOf(backend.device.gpuDevice!.limits) as GPUSupportedLimits;
      const available = vi.spyOn(limits, 'maxComputeWorkgroupStorageSize', 'get').mockReturnValue(16_384);
      try {
        for (const headSize of [16, 64, 128]) {
          await check(backend, { ...plain, heads: 1, headSize, layout: [full(21, 1)], rate: 0.3 });
        }
        expect(available).toHaveBeenCalled();
        const qkv = tensor2d(normals(1, 2 * 3 * 512), [2, 3 * 512]);
        const layout = tensor2d([0, 2, 0, 2], [1, 4], 'int32');
        const options = { heads: 1, scale: 1, keyStride: 2 };
        expect(() => attention(qkv, layout, options)).toThrow('heads of 512 do not fit the 16384 bytes');
      } finally {
        available.mockRestore();
      }
    });

    it.runIf(backend.name === 'webgpu')('keeps sequences that only the GPU knows within the rows', async () => {
      const qkv = normals(6, 5 * 12);
      const fields = tensor2d([0, 3, 0, 3, 3, 99, -2, 99, 70, 5, 0, 5], [3, 4], 'int32');
      const onGpu = add<Tensor2D>(fields, zerosLike(fields));
      const options = { heads: 1, scale: 0.5, keyStride: 8 };
      const x = tensor2d(qkv, [5, 12]);
      const dy = normals(7, 5 * 4);
      const results = await runPoisoned(backend, () => [
        attention(x, onGpu, options),
        grad((input) => sum(mul(attention(input as Tensor2D, onGpu, options), tensor2d(dy, [5, 4]))))(x),
      ]);
      const problem = { ...options, qkv, rows: 5, headSize: 4, sequences: [0, 3, 0, 3, 3, 2, 0, 2] };
      await expectClose('attention', backend, results[0]!, attentionReference(problem), { absolute: 5e-6 });
      const slope = attentionBackwardReference(problem, dy);
      await expectClose('attention backward', backend, results[1]!, slope, { absolute: 2e-5 });
    });

    it('takes left and right padding: no key outside the real tokens is looked at', async () => {
      const qkvValues = normals(4, 12 * 12);
      const other = qkvValues.slice();
      // Keys and values of the padding, rows 0..2 and 9..11.
      for (const row of [0, 1, 2, 9, 10, 11]) for (let c = 4; c < 12; c++) other[row * 12 + c] = 1e3;
      const sequences = tensor2d([0, 6, 3, 6, 6, 6, 0, 3], [2, 4], 'int32');
      const options = { heads: 1, scale: 0.5, keyStride: 6 };
      const results = await runPoisoned(backend, () =>
        [qkvValues, other].map((values) => attention(tensor2d(values, [12, 12]), sequences, options)),
      );
      const [first, second] = results.map((values) => Array.from(values, (value) => (value === 0 ? 0 : value)));
      expect(second).toEqual(first);
      // The first three rows have no key before them.
      expect(first!.slice(0, 12)).toEqual(new Array(12).fill(0));
    });

    it('keeps softmax exact where scores are large', async () => {
      const qkvValues = normals(9, 10 * 24, 30);
      const problem = { rows: 10, heads: 2, headSize: 4, scale: 1, sequences: [0, 10, 0, 10], keyStride: 10 };
      const results = await runPoisoned(backend, () => [
        attention(tensor2d(qkvValues, [10, 24]), tensor2d(problem.sequences, [1, 4], 'int32'), problem),
      ]);
      const expected = attentionReference({ ...problem, qkv: qkvValues });
      await expectClose('attention, scores to 1e4', backend, results[0]!, expected, { relative: 2e-3 });
    });

    it('refuses what it cannot compute, with the numbers', () => {
      const qkv = tensor2d(normals(1, 5 * 12), [5, 12]);
      const layout = (rows: number[][]) => tensor2d(rows, [rows.length, 4], 'int32');
      const options = { heads: 2, scale: 1, keyStride: 8 };
      expect(() => attention(qkv, layout([[0, 6, 0, 6]]), options)).toThrow('does not lie within the 5 rows of qkv');
      expect(() => attention(qkv, layout([[0, 3, 0, 4]]), options)).toThrow('does not lie within');
      expect(() =>
        attention(
          qkv,
          layout([
            [0, 3, 0, 3],
            [2, 3, 0, 3],
          ]),
          options,
        ),
      ).toThrow('row 2 lies in two sequences');
      expect(() => attention(qkv, layout([[0, 5, 0, 5]]), { ...options, keyStride: 4 })).toThrow(
        'more than keyStride 4',
      );
      expect(() => attention(qkv, layout([[0, 5, 0, 5]]), { ...options, heads: 3 })).toThrow('3 heads do not divide');
      expect(() => attention(qkv, layout([[0, 5, 0, 5]]), { ...options, keyValueHeads: 1 })).not.toThrow();
      expect(() => attention(qkv, layout([[0, 5, 0, 5]]), { ...options, heads: 3, keyValueHeads: 2 })).toThrow(
        '3 heads cannot share 2 heads of keys and values evenly',
      );
      expect(() => attention(qkv, layout([[0, 5, 0, 5]]), { ...options, heads: 5, keyValueHeads: 1 })).toThrow(
        '5 heads and 1 of keys and values do not divide',
      );
      expect(() => attention(qkv, layout([[0, 5, 0, 5]]), { ...options, scale: NaN })).toThrow(
        'scale NaN is not finite',
      );
      expect(() => attention(qkv, tensor2d([[0, 5]], [1, 2], 'int32'), options)).toThrow('sequences has shape [1, 2]');
      expect(() => attention(qkv, tensor2d([[0, 5, 0, 5]]), options)).toThrow('sequences has dtype float32');
    });
  },
  { matrices: true },
);

describe('attentionReference', () => {
  it('has the derivative of its own forward pass', () => {
    const problem = {
      rows: 9,
      heads: 2,
      headSize: 3,
      scale: 0.6,
      sequences: [1, 5, 1, 4, 6, 2, 0, 2],
      keyStride: 8,
      dropout: { rate: 0.3, site: 1, random: [5, 6, 7, 8] },
    };
    const qkv = normals(2, 9 * 18);
    const dy = normals(3, 9 * 6);
    const value = (x: Float64Array): number =>
      attentionReference({ ...problem, qkv: x }).reduce((total, y, i) => total + y * dy[i]!, 0);
    expectDerivative(value, qkv, attentionBackwardReference({ ...problem, qkv }, dy));
  });

  it('has it too where heads of queries share keys', () => {
    const problem = {
      ...{ rows: 7, heads: 4, keyValueHeads: 2, headSize: 3, scale: 0.6 },
      ...{ sequences: [1, 5, 1, 4], keyStride: 8 },
    };
    const qkv = normals(2, 7 * 24);
    const dy = normals(3, 7 * 12);
    const value = (x: Float64Array): number =>
      attentionReference({ ...problem, qkv: x }).reduce((total, y, i) => total + y * dy[i]!, 0);
    expectDerivative(value, qkv, attentionBackwardReference({ ...problem, qkv }, dy));
  });

  it('gives neighbouring heads of queries one head of values', () => {
    // Four heads of one column over two of values, at one row: each has the value itself.
    const problem = {
      rows: 1,
      heads: 4,
      keyValueHeads: 2,
      headSize: 1,
      scale: 1,
      sequences: [0, 1, 0, 1],
      keyStride: 1,
    };
    expect(Array.from(attentionReference({ ...problem, qkv: [1, 2, 3, 4, 5, 6, 70, 80] }))).toEqual([70, 70, 80, 80]);
  });

  it('averages the values of equal keys', () => {
    // q = k = 0 in one head of size 1: every query averages the values before it, 1, 2, 6.
    const qkv = [0, 0, 1, 0, 0, 2, 0, 0, 6];
    const problem = { rows: 3, heads: 1, headSize: 1, scale: 1, sequences: [0, 3, 0, 3], keyStride: 3 };
    expect(Array.from(attentionReference({ ...problem, qkv }))).toEqual([1, 1.5, 3]);
  });
});
