import { tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeBackends, expectClose, forAll, normals, runPoisoned } from '../../testing';
import { clipControlReference, sumOfSquaresReference } from './reference';
import { together } from '../../tfjs/together';
import { clipControl, sumOfSquares } from '.';

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(4096, 4097, 9001)), {
  minLength: 1,
  maxLength: 5,
});

/** torch.nn.utils.clip_grad_norm_ on these two: norm and the factor of the gradients. */
const TORCH = {
  gradients: [
    [1, -2, 3, 0.5, 0, -1],
    [4, -0.25],
  ],
  norm: 5.595757484436035,
  factor: 0.17870678007602692,
};

describeBackends('gradientNorm', (backend) => {
  it('sums the squares of all elements of all tensors', async () => {
    await forAll(sizes, async (lengths) => {
      const values = lengths.map((length, i) => normals(i + 1, length, 10 ** (i - 2)));
      const tensors = values.map((each) => tensor(each));
      const expected = sumOfSquaresReference(values);
      const copies = together(values.map((each) => tensor(each)));
      for (const laid of [tensors, copies]) {
        const [parts] = await runPoisoned(backend, () => [sumOfSquares(laid)]);
        const total = (parts as Float32Array).reduce((sum, part) => sum + part, 0);
        await expectClose('sumOfSquares', backend, [total], [expected], { relative: 1e-6 });
        for (const held of laid) held.dispose();
      }
    });
  });

  it('clips as torch does', async () => {
    const tensors = TORCH.gradients.map((values) => tensor1d(values));
    for (const [maxNorm, lossScale, factor] of [
      [1, undefined, TORCH.factor],
      [100, undefined, 1],
      [Infinity, undefined, 1],
      [1, 0.5, 2 / (2 * TORCH.norm)],
      [Infinity, 4, 0.25],
    ] as const) {
      const [norm, control] = await runPoisoned(backend, () => {
        const squares = sumOfSquares(tensors);
        const result = clipControl(squares, { maxNorm, ...(lossScale === undefined ? {} : { lossScale }) });
        return [result.norm, result.control];
      });
      await expectClose('clipControl, norm', backend, norm!, [TORCH.norm / (lossScale ?? 1)], { relative: 1e-6 });
      await expectClose('clipControl', backend, control!, [factor, 1], { relative: 1e-6 });
      const expected = clipControlReference(sumOfSquaresReference(TORCH.gradients), { maxNorm, lossScale });
      await expectClose('clipControl', backend, [...norm!, ...control!], [expected.norm, ...expected.control], {
        relative: 1e-6,
      });
    }
    for (const held of tensors) held.dispose();
  });

  it('adds up the parts, and takes the loss scale from the device', async () => {
    const [squares, lossScale] = [tensor1d([...new Array<number>(600).fill(0.02), 4]), tensor1d([2])];
    const { norm, control } = clipControl(squares, { maxNorm: 1, lossScale });
    await expectClose('clipControl, norm', backend, norm, [2], { relative: 1e-6 });
    await expectClose('clipControl', backend, control, [0.25, 1], { relative: 1e-6 });
    for (const held of [squares, lossScale, norm, control]) held.dispose();
  });

  it('leaves a step out where the norm is not finite, and says the norm', async () => {
    for (const bad of [NaN, Infinity, -Infinity, 1e30]) {
      const gradients = [tensor1d([1, 2]), tensor1d([0, bad, 1])];
      const squares = sumOfSquares(gradients);
      const { norm, control } = clipControl(squares, { maxNorm: 1, lossScale: 1024 });
      expect((await norm.data())[0]).toBe(Number.isNaN(bad) ? NaN : Infinity);
      expect([...(await control.data())]).toEqual([0, 0]);
      for (const held of [...gradients, squares, norm, control]) held.dispose();
    }
  });

  it('refuses what it can’t work with', () => {
    const [squares, two, whole] = [tensor1d([4]), tensor1d([1, 2]), tensor1d([1], 'int32')];
    expect(() => sumOfSquares([])).toThrow('there are no tensors');
    expect(() => sumOfSquares([squares, whole as Tensor])).toThrow('tensor 1 has dtype int32');
    expect(() => clipControl(squares, { maxNorm: 0 })).toThrow('maxNorm 0 is not positive');
    expect(() => clipControl(squares, { maxNorm: NaN })).toThrow('maxNorm NaN is not positive');
    expect(() => clipControl(squares, { maxNorm: 1, lossScale: -1 })).toThrow('lossScale -1');
    expect(() => clipControl(squares, { maxNorm: 1, lossScale: two })).toThrow('lossScale has shape [2]');
    expect(() => clipControl(whole, { maxNorm: 1 })).toThrow('sumSquares has dtype int32');
    for (const held of [squares, two, whole]) held.dispose();
  });
});
