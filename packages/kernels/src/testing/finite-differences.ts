import { expect } from 'vitest';

/**
 * Holds a gradient to central differences of the function it belongs to, at up to 64 elements spread over x, in
 * float64.
 */
export function expectDerivative(
  value: (x: Float64Array) => number,
  x: ArrayLike<number>,
  gradient: ArrayLike<number>,
  { step = 1e-5, tolerance = 1e-6 }: { step?: number; tolerance?: number } = {},
): void {
  expect(gradient.length).toBe(x.length);
  const stride = Math.max(1, Math.floor(x.length / 64));
  for (let i = 0; i < x.length; i += stride) {
    const moved = Float64Array.from(x);
    moved[i] = x[i]! + step;
    const above = value(moved);
    moved[i] = x[i]! - step;
    const slope = (above - value(moved)) / (2 * step);
    const allowed = tolerance * Math.max(1, Math.abs(slope));
    expect(Math.abs(gradient[i]! - slope), `derivative by element ${i}: ${gradient[i]}, ${slope}`).toBeLessThan(
      allowed,
    );
  }
}
