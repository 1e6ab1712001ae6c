import { tensor1d, tensor2d, tidy, variable, zeros, type Variable } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeBackends, forAll, integers, normals } from '../../testing';
import { confusionReference } from './reference';
import { addConfusion, confusionSize } from '.';

const emptyCounts = (classes: number): Variable =>
  tidy(() => variable(zeros([confusionSize(classes)], 'int32'), false));

describeBackends('addConfusion', () => {
  it('counts what the reference counts, batch after batch', async () => {
    const cases = fc.record({ rows: fc.integer({ min: 1, max: 30 }), classes: fc.constantFrom(1, 2, 5, 77, 130) });
    await forAll(cases, async ({ rows, classes }) => {
      const counts = emptyCounts(classes);
      let expected = new Array<number>(classes ** 2 + 1).fill(0);
      for (const batch of [1, 2]) {
        // Rounded, so that equal logits occur.
        const values = normals(batch, rows * classes).map((value) => Math.round(2 * value));
        const labels = integers(batch + 7, rows, classes);
        const [logits, labelTensor] = [tensor2d(values, [rows, classes]), tensor1d(labels, 'int32')];
        addConfusion(counts, logits, labelTensor);
        expected = confusionReference(expected, values, labels);
        logits.dispose();
        labelTensor.dispose();
      }
      expect(Array.from(await counts.data())).toEqual(expected);
      counts.dispose();
    });
  });

  it('keeps rows whose label is no class apart', async () => {
    const counts = emptyCounts(2);
    const [logits, labels] = [tensor2d([1, 2, 1, 2, 1, 2], [3, 2]), tensor1d([-1, 2, 0], 'int32')];
    addConfusion(counts, logits, labels);
    expect(Array.from(await counts.data())).toEqual([0, 1, 0, 0, 2]);
    expect(confusionReference([0, 0, 0, 0, 0], [1, 2, 1, 2, 1, 2], [-1, 2, 0])).toEqual([0, 1, 0, 0, 2]);
    for (const held of [counts, logits, labels]) held.dispose();
  });

  it('refuses counts of another size', () => {
    const counts = emptyCounts(3);
    const [logits, labels] = [tensor2d([1, 2], [1, 2]), tensor1d([0], 'int32')];
    expect(() => addConfusion(counts, logits, labels)).toThrow('counts has shape [10], but [5] is needed');
    for (const held of [counts, logits, labels]) held.dispose();
  });
});
