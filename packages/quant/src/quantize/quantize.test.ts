import {
  grad,
  memory,
  mul,
  sum,
  tensor,
  tensor1d,
  tensor2d,
  tidy,
  type Tensor,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { dequantize4bit, matmul4bit, type QuantType } from '@qlora-js/kernels';
import { describeBackends } from '@qlora-js/kernels/testing';
import { quantize4bit } from './quantize';
import { dequantizeArray } from './dequantize-array';
import { quantizeArray } from './quantize-array';
import { toHost } from '../state/transfer';

function waves(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(seed + i * 78.233) * Math.cos(seed * 3 + i * 0.37));
}

function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  return Array.from(expected, (value, i) => Math.abs(value - found[i]!)).reduce((a, b) => Math.max(a, b), 0);
}

const FORMATS: [QuantType, boolean][] = [
  ['nf4', false],
  ['nf4', true],
  ['fp4', true],
  ['int4', true],
];

describeBackends('4-bit tensors', (backend) => {
  it.each(FORMATS)(
    '%s, double quantisation %s: a tensor of any shape gives the arrays’ bytes',
    async (quantType, doubleQuant) => {
      for (const shape of [[5], [3, 41], [2, 3, 64], [17, 1, 9, 8]]) {
        const values = waves(
          shape.reduce((product, extent) => product * extent, 1),
          1,
        );
        const x = tensor(values, shape);
        const options = { quantType, doubleQuant, blocksize: 32 };
        const quantized = quantize4bit(x, options);
        const { offset, state2, ...found } = await toHost(quantized);
        const { offset: expectedOffset, state2: expectedState2, ...expected } = quantizeArray(values, shape, options);
        if (backend.name === 'webgpu' && state2 !== undefined && expectedState2 !== undefined) {
          // The mean of absmax is taken on the device, in an order of its own.
          expect(largestDifference([offset!], [expectedOffset!])).toBeLessThan(3e-7);
          expect(largestDifference(state2.absmax, expectedState2.absmax)).toBeLessThan(1e-6);
          expect(largestDifference(found.absmax, expected.absmax)).toBeLessThanOrEqual(1);
          expect([...found.packed]).toEqual([...expected.packed]);
        } else {
          expect(found).toEqual(expected);
          expect([offset, state2]).toEqual([expectedOffset, expectedState2]);
        }
        quantized.dispose();
        x.dispose();
      }
    },
  );

  it.each(FORMATS)('%s, double quantisation %s: dequantises to the host’s values', async (quantType, doubleQuant) => {
    const options = { quantType, doubleQuant, shape: [7, 43] };
    const values = waves(7 * 43, 2);
    const quantized = quantize4bit(values, options);
    const back = dequantize4bit(quantized);
    const expected = dequantizeArray(quantizeArray(values, options.shape, options));
    expect(back.shape).toEqual([7, 43]);
    const found = await back.data();
    expected.forEach((value, i) => expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(2 ** -23 * Math.abs(value)));
    quantized.dispose();
    back.dispose();
  });

  it('multiplies by the weight it stands for, forward and back, and keeps no dense one', async () => {
    const [rows, N, K] = [5, 24, 40] as const;
    const values = waves(N * K, 3);
    const weight = quantize4bit(values, { shape: [N, K], name: 'w' });
    const dense = dequantizeArray(quantizeArray(values, [N, K]));
    const x = tensor2d(waves(rows * K, 4), [rows, K]);
    const bias = tensor1d(waves(N, 5));
    const dy = tensor2d(waves(rows * N, 6), [rows, N]);
    const before = memory().numBytes;
    const y = matmul4bit(x, weight, { bias });
    const dx = grad((input: Tensor) => sum(mul(matmul4bit(input as Tensor2D, weight), dy)))(x);
    expect(memory().numBytes - before).toBe(4 * (rows * N + rows * K));
    const [xs, bs, dys] = [await x.data(), await bias.data(), await dy.data()];
    const expectedY = Float64Array.from({ length: rows * N }, (_, i) => {
      const [row, n] = [Math.floor(i / N), i % N];
      let total = bs[n]!;
      for (let k = 0; k < K; k++) total += xs[row * K + k]! * dense[n * K + k]!;
      return total;
    });
    const expectedDx = Float64Array.from({ length: rows * K }, (_, i) => {
      const [row, k] = [Math.floor(i / K), i % K];
      let total = 0;
      for (let n = 0; n < N; n++) total += dys[row * N + n]! * dense[n * K + k]!;
      return total;
    });
    expect(largestDifference(await y.data(), expectedY)).toBeLessThan(1e-5);
    expect(largestDifference(await dx.data(), expectedDx)).toBeLessThan(1e-5);
    for (const held of [y, dx, x, bias, dy, weight]) held.dispose();
  });

  it('counts every byte: 4.127 bits a parameter and the tables with double quantisation', () => {
    const shape = [256, 256];
    const values = waves(65_536, 7);
    const nested = quantize4bit(values, { shape });
    // Codes, absmax in 8 bits, 4 nested absmax, the offset, a table of 16 and one of 256.
    expect(nested.memoryBytes).toBe(32_768 + 1024 + 4 * 4 + 4 + 64 + 1024);
    expect(nested.bitsPerParameter).toBeCloseTo(4 + 8 / 64 + 32 / (64 * 256) + (8 * 1092) / 65_536, 10);
    const flat = quantize4bit(values, { shape, doubleQuant: false });
    expect(flat.memoryBytes).toBe(32_768 + 4096 + 64);
    expect(flat.state.offset).toBeUndefined();
    const before = memory().numTensors;
    nested.dispose();
    flat.dispose();
    expect(before - memory().numTensors).toBe(6 + 3);
  });

  it('refuses tensors and weights it can’t take', () => {
    tidy(() => {
      expect(() => quantize4bit(tensor([1, 2], [2], 'int32'), { name: 'ids' })).toThrow(/ids: dtype is int32/);
      const x = tensor2d([[1, 2]]);
      const vector = quantize4bit(new Float32Array([1, 2]));
      expect(() => matmul4bit(x, vector)).toThrow(/weight has shape \[2\], but \[N, K\]/);
      vector.dispose();
    });
  });
});
