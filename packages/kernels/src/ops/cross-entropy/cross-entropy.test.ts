import { add, grad, mul, tensor1d, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, expectDerivative, forAll, integers, normals, runPoisoned } from '../../testing';
import { crossEntropyReference } from './reference';
import { crossEntropy } from '.';

describeBackends('crossEntropy', (backend) => {
  it('and its gradient agree with the reference, ignored rows and both reductions included', async () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 20 }),
      classes: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(1000, 2049)),
      std: fc.constantFrom(0.1, 3, 40),
      reduction: fc.constantFrom('mean' as const, 'sum' as const),
      ignoreIndex: fc.constantFrom(-100, 0, 5),
      ignored: fc.constantFrom(0, 0.3),
      slope: fc.constantFrom(1, 512),
    });
    await forAll(cases, async ({ rows, classes, std, reduction, ignoreIndex, ignored, slope }) => {
      const values = normals(1, rows * classes, std);
      const labelValues = integers(2, rows, classes).map((label, i) => (i < ignored * rows ? ignoreIndex : label));
      // A mean over no row is NaN; the test beside this one asks for that.
      if (labelValues.every((label) => label === ignoreIndex)) return;
      const logits = tensor2d(values, [rows, classes]);
      const labels = tensor1d(labelValues, 'int32');
      const options = { reduction, ignoreIndex };
      const results = await runPoisoned(backend, () => [
        crossEntropy(logits, labels, options),
        grad((x) => mul(crossEntropy(x as Tensor2D, labels, options), slope))(logits),
      ]);
      const { loss, dlogits } = crossEntropyReference(values, labelValues, options);
      // A loss is a difference of logits: its error grows with them.
      const scale = Math.max(1, loss);
      const scaled = results[0]!.map((value) => value / scale);
      await expectClose('crossEntropy', backend, scaled, [loss / scale], { absolute: 1e-6 });
      const expected = dlogits.map((value) => value * slope);
      await expectClose('crossEntropy backward', backend, results[1]!, expected, { relative: 5e-6 });
      for (const held of [logits, labels]) held.dispose();
    });
  });

  it('is NaN where a mean has nothing to average, as in torch, and 0 where a sum has not', async () => {
    const logits = tensor2d([1, 2, 3, 4], [2, 2]);
    const labels = tensor1d([-100, -100], 'int32');
    const results = await runPoisoned(backend, () => [
      crossEntropy(logits, labels),
      crossEntropy(logits, labels, { reduction: 'sum' }),
      grad((x) => crossEntropy(x as Tensor2D, labels, { reduction: 'sum' }))(logits),
    ]);
    expect(results.map((values) => Array.from(values, Math.abs))).toEqual([[NaN], [0], [0, 0, 0, 0]]);
  });

  it('stays finite where a logit is far above the others', async () => {
    const logits = tensor2d([1e4, -1e4, 0, 3e38, 0, -3e38], [2, 3]);
    const [loss] = await runPoisoned(backend, () => [crossEntropy(logits, tensor1d([1, 0], 'int32'))]);
    expect(Array.from(loss!)).toEqual([1e4]);
  });

  const labelsOf = (...values: number[]) => tensor1d(values, 'int32');

  it('answers a label out of range with an error', () => {
    const logits = tensor2d([1, 2, 3, 4], [2, 2]);
    expect(() => crossEntropy(logits, labelsOf(0, 2))).toThrow(
      'crossEntropy: labels[1] is 2, but it must lie between 0 and 1',
    );
    expect(() => crossEntropy(logits, labelsOf(0, -1))).toThrow('labels[1] is -1');
  });

  it.runIf(backend.name === 'webgpu')('answers a bad label that lies on the device alone with NaN', async () => {
    const logits = tensor2d([1, 2, 3, 4], [2, 2]);
    for (const bad of [2, -1]) {
      const [loss] = await crossEntropy(logits, add(labelsOf(0, bad), labelsOf(0, 0))).data();
      expect(loss).toBeNaN();
    }
  });

  it('refuses what does not fit', () => {
    const logits = tensor2d([1, 2, 3, 4], [2, 2]);
    const labels = tensor1d([0, 1], 'int32');
    expect(() => crossEntropy(logits, tensor1d([1], 'int32'))).toThrow('labels has shape [1], but [2] is needed');
    expect(() => crossEntropy(logits, tensor1d([0, 1]))).toThrow('labels has dtype float32');
    expect(() => crossEntropy(logits, labels, { reduction: 'none' as 'sum' })).toThrow("reduction 'none'");
    expect(() => crossEntropy(logits, labels, { ignoreIndex: 0.5 })).toThrow('ignoreIndex 0.5');
  });
});

describe('crossEntropyReference', () => {
  it('is log 2 for two equal logits', () => {
    const { loss, dlogits } = crossEntropyReference([3, 3], [1]);
    expect(loss).toBeCloseTo(Math.log(2), 15);
    expect(Array.from(dlogits)).toEqual([0.5, -0.5]);
  });

  it('has the derivative of its own loss', () => {
    const logits = normals(1, 24, 2);
    const labels = [0, 5, -100, 3];
    for (const reduction of ['mean', 'sum'] as const) {
      const { dlogits } = crossEntropyReference(logits, labels, { reduction });
      expectDerivative((x) => crossEntropyReference(x, labels, { reduction }).loss, logits, dlogits);
    }
  });
});
