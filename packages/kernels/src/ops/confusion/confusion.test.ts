import { tensor1d, tensor2d, tidy, variable, zeros, type Variable } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeBackends, forAll, integers, normals } from '../../testing';
import { addConfusion, confusionSize } from '.';

const emptyCounts = (classes: number): Variable =>
  tidy(() => variable(zeros([confusionSize(classes)], 'int32'), false));

describeBackends('addConfusion', () => {
  it('counts what argmax and a loop count, batch after batch', async () => {
    const cases = fc.record({ rows: fc.integer({ min: 1, max: 30 }), classes: fc.constantFrom(1, 2, 5, 77, 130) });
    await forAll(cases, async ({ rows, classes }) => {
      const counts = emptyCounts(classes);
      const expected = new Int32Array(classes ** 2 + 1);
      for (const batch of [1, 2]) {
        // Rounded, so that equal logits occur.
        const values = normals(batch, rows * classes).map((value) => Math.round(2 * value));
        const labels = integers(batch + 7, rows, classes);
        const [logits, labelTensor] = [tensor2d(values, [rows, classes]), tensor1d(labels, 'int32')];
        addConfusion(counts, logits, labelTensor);
        for (let row = 0; row < rows; row++) {
          const scores = values.subarray(row * classes, (row + 1) * classes);
          expected[labels[row]! * classes + scores.indexOf(Math.max(...scores))]!++;
        }
        logits.dispose();
        labelTensor.dispose();
      }
      expect(Array.from(await counts.data())).toEqual(Array.from(expected));
      counts.dispose();
    });
  });

  it('keeps rows whose label is no class apart', async () => {
    const counts = emptyCounts(2);
    const [logits, labels] = [tensor2d([1, 2, 1, 2, 1, 2], [3, 2]), tensor1d([-1, 2, 0], 'int32')];
    addConfusion(counts, logits, labels);
    expect(Array.from(await counts.data())).toEqual([0, 1, 0, 0, 2]);
    for (const held of [counts, logits, labels]) held.dispose();
  });

  it('refuses counts of another size', () => {
    const counts = emptyCounts(3);
    const [logits, labels] = [tensor2d([1, 2], [1, 2]), tensor1d([0], 'int32')];
    expect(() => addConfusion(counts, logits, labels)).toThrow('counts has shape [10], but [5] is needed');
    for (const held of [counts, logits, labels]) held.dispose();
  });
});
