import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { layerNormBackwardReference, layerNormReference } from '../ops/layer-norm/reference';
import { normals } from '../testing/random-data';
import { expectWithin, openKernels, TestHeap, type TestedKernels } from './test-heap';

const EPSILON = 1e-5;

describe('layer normalisation', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  it('agrees with float64, forward and backward, for any number of columns', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 2, max: 70 }), fc.integer(), (rows, cols, seed) => {
        const x = normals(seed, rows * cols, 2, 3);
        const gamma = normals(seed + 1, cols, 0.5, 1);
        const beta = normals(seed + 2, cols);
        const dy = normals(seed + 3, rows * cols);
        const y = layerNormReference(x, gamma, beta, EPSILON);
        const { dx, dgamma, dbeta } = layerNormBackwardReference(dy, x, gamma, EPSILON);
        TestHeap.use(tested, (heap) => {
          const { kernels } = tested;
          const [px, pgamma, pdy] = [heap.input(x), heap.input(gamma), heap.input(dy)];
          const [py, pmean, prstd] = [heap.room(4 * rows * cols), heap.room(4 * rows), heap.room(4 * rows)];
          kernels.layerNorm(px, pgamma, heap.input(beta), rows, cols, EPSILON, py, pmean, prstd);
          expectWithin(
            heap.floats(py, rows * cols),
            y,
            y.map((value) => 1e-5 * (1 + Math.abs(value)) * steepness(x, cols)),
            'y',
          );
          const pdx = heap.room(4 * rows * cols);
          kernels.layerNormBackward(pdy, px, pgamma, pmean, prstd, rows, cols, pdx);
          expectWithin(heap.floats(pdx, rows * cols), dx, 3e-5 * steepness(x, cols) ** 2, 'dx');
          const [pdgamma, pdbeta] = [heap.room(4 * cols), heap.room(4 * cols)];
          kernels.layerNormParamGradients(pdy, px, pmean, prstd, rows, cols, pdgamma, pdbeta);
          expectWithin(heap.floats(pdgamma, cols), dgamma, 1e-4 * steepness(x, cols), 'dgamma');
          expectWithin(heap.floats(pdbeta, cols), dbeta, 1e-5, 'dbeta');
        });
      }),
      { seed: 21, numRuns: 80 },
    );
  });

  it('may write over its input', () => {
    const x = normals(1, 2 * 37);
    const gamma = normals(2, 37);
    const beta = normals(3, 37);
    TestHeap.use(tested, (heap) => {
      const data = heap.inOut(x);
      tested.kernels.layerNorm(
        data,
        heap.input(gamma),
        heap.input(beta),
        2,
        37,
        EPSILON,
        data,
        heap.room(8),
        heap.room(8),
      );
      expectWithin(heap.floats(data, x.length), layerNormReference(x, gamma, beta, EPSILON), 2e-5);
    });
  });
});

/** Errors of x in float32 grow by the largest reciprocal deviation of a row; a few columns can lie close together. */
function steepness(x: Float32Array, cols: number): number {
  let steepest = 1;
  for (let start = 0; start < x.length; start += cols) {
    const row = Array.from(x.subarray(start, start + cols));
    const mean = row.reduce((sum, value) => sum + value, 0) / cols;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cols;
    steepest = Math.max(steepest, 1 / Math.sqrt(variance + EPSILON));
  }
  return steepest;
}
