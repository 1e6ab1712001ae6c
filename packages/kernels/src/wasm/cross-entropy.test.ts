import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropyReference } from '../ops/cross-entropy/reference';
import { integers, normals } from '../testing/random-data';
import { expectWithin, openKernels, TestHeap, type TestedKernels } from './test-heap';

describe('softmaxCrossEntropy', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  it('agrees with float64: losses, probabilities and gradient, rows without a label included', () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 90 }), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(cases, ([rows, classes, seed, ignoreFirst]) => {
        const logits = normals(seed, rows * classes, 6);
        const labels = integers(seed + 1, rows, classes);
        if (ignoreFirst) labels[0] = -100;
        const scale = normals(seed + 2, rows);
        TestHeap.use(tested, (heap) => {
          const { kernels } = tested;
          const [losses, probs] = [heap.room(4 * rows), heap.room(4 * rows * classes)];
          const plabels = heap.input(labels);
          kernels.softmaxCrossEntropy(heap.input(logits), plabels, rows, classes, losses, probs);
          const dlogits = heap.room(4 * rows * classes);
          kernels.softmaxCrossEntropyBackward(probs, plabels, heap.input(scale), rows, classes, dlogits);
          for (let row = 0; row < rows; row++) {
            const counted = labels[row]! >= 0;
            const from = row * classes;
            const expected = crossEntropyReference(logits.subarray(from, from + classes), [labels[row]!], {
              reduction: 'sum',
            });
            expect(Math.abs(heap.floats(losses, rows)[row]! - (counted ? expected.loss : 0))).toBeLessThan(4e-6);
            expectWithin(
              heap.floats(probs, rows * classes).subarray(from, from + classes),
              expected.probabilities,
              1e-6,
              'probs',
            );
            const gradient = expected.dlogits.map((value) => (counted ? value * scale[row]! : 0));
            expectWithin(
              heap.floats(dlogits, rows * classes).subarray(from, from + classes),
              gradient,
              3e-6,
              'dlogits',
            );
          }
        });
      }),
      { seed: 61, numRuns: 80 },
    );
  });

  it('stays finite for logits far apart', () => {
    TestHeap.use(tested, (heap) => {
      const [losses, probs] = [heap.room(4), heap.room(12)];
      const { kernels } = tested;
      kernels.softmaxCrossEntropy(
        heap.input(Float32Array.of(1e30, -1e30, 0)),
        heap.input(Int32Array.of(0)),
        1,
        3,
        losses,
        probs,
      );
      expect(heap.floats(losses, 1)).toEqual(Float32Array.of(0));
      expect(heap.floats(probs, 3)).toEqual(Float32Array.of(1, 0, 0));
    });
  });
});
