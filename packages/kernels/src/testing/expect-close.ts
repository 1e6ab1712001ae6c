import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { TestBackend } from './backends';
import { recordError } from './error-records';

/** How far a result may lie from the reference: one of the two. */
export type Tolerance =
  /** Of the largest magnitude in the expected values. */
  { readonly relative: number; readonly absolute?: never } | { readonly absolute: number; readonly relative?: never };

/**
 * Compares a result with its float64 reference, element by element, and records the largest error for the table in
 * the README. NaN and infinities must stand where the reference has them.
 *
 * @param op name in the table
 */
export async function expectClose(
  op: string,
  backend: TestBackend,
  actual: Tensor | ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
): Promise<void> {
  const values = 'dataId' in actual ? await actual.data() : actual;
  expect(values.length, `${op} on ${backend.name}: number of elements`).toBe(expected.length);
  let worst = 0;
  let worstAt = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    const wanted = expected[i]!;
    const found = values[i]!;
    if (!Number.isFinite(wanted)) {
      expect(found, `${op} on ${backend.name}: element ${i}`).toBe(wanted);
      continue;
    }
    const error = Number.isFinite(found) ? Math.abs(found - wanted) : Infinity;
    magnitude = Math.max(magnitude, Math.abs(wanted));
    if (error > worst) [worst, worstAt] = [error, i];
  }
  const measure = tolerance.relative === undefined ? 'absolute' : 'relative';
  const allowed = tolerance.relative ?? tolerance.absolute;
  // Where everything expected is zero, any error at all is infinitely large beside it.
  const largest = measure === 'absolute' || worst === 0 ? worst : worst / magnitude;
  recordError({
    op: backend.matrices ? `${op}, float16 matrices` : op,
    backend: backend.name,
    measure,
    largest,
    tolerance: allowed,
  });
  const place = `element ${worstAt} is ${values[worstAt]}, expected ${expected[worstAt]}`;
  expect(largest, `${op} on ${backend.name}: ${measure} error; ${place}`).toBeLessThanOrEqual(allowed);
}
