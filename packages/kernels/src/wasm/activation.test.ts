import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { WASM_ACTIVATION } from './exports';
import { normals } from '../testing/random-data';
import { openKernels, TestHeap, type TestedKernels } from './test-heap';

type Name = keyof typeof WASM_ACTIVATION;

/** erfc(z) for z >= 0: the series of erf below 2.5, the continued fraction of erfc from there on; 1e-14 relative. */
function erfc(z: number): number {
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 80; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction);
}

const normalCdf = (x: number) => (x < 0 ? erfc(-x / Math.SQRT2) / 2 : 1 - erfc(x / Math.SQRT2) / 2);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const gated = (gate: (x: number) => number, slope: (x: number) => number): [Formula, Formula] => [
  (x) => x * sigmoid(gate(x)),
  (x) => sigmoid(gate(x)) * (1 + x * sigmoid(-gate(x)) * slope(x)),
];
type Formula = (x: number) => number;

const ROOT = 2 * Math.sqrt(2 / Math.PI);
/** Value and derivative of each activation in float64. */
const FORMULAS: Record<Name, [Formula, Formula]> = {
  geluNew: gated(
    (x) => ROOT * (x + 0.044715 * x ** 3),
    (x) => ROOT * (1 + 3 * 0.044715 * x * x),
  ),
  geluErf: [(x) => x * normalCdf(x), (x) => normalCdf(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)],
  relu: [(x) => Math.max(x, 0), (x) => (x > 0 ? 1 : 0)],
  silu: gated(
    (x) => x,
    () => 1,
  ),
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  quickGelu: gated(
    (x) => 1.702 * x,
    () => 1.702,
  ),
};

const names = Object.keys(FORMULAS) as Name[];

describe('activations', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  const forward = (name: Name, x: Float32Array): Float32Array =>
    TestHeap.use(tested, (heap) => {
      const y = heap.room(4 * x.length);
      tested.kernels.activation(WASM_ACTIVATION[name], heap.input(x), x.length, y);
      return heap.floats(y, x.length);
    });

  const backward = (name: Name, dy: Float32Array, x: Float32Array): Float32Array =>
    TestHeap.use(tested, (heap) => {
      const dx = heap.room(4 * x.length);
      tested.kernels.activationBackward(WASM_ACTIVATION[name], heap.input(dy), heap.input(x), x.length, dx);
      return heap.floats(dx, x.length);
    });

  it.each(names)('%s and its derivative agree with float64 at every length', (name) => {
    const [value, slope] = FORMULAS[name];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer(), (count, seed) => {
        const x = normals(seed, count, 3);
        const dy = normals(seed + 1, count);
        const y = forward(name, x);
        const dx = backward(name, dy, x);
        x.forEach((at, i) => {
          expect(Math.abs(y[i]! - value(at))).toBeLessThan(4e-7 * Math.max(Math.abs(at), 1e-3));
          expect(Math.abs(dx[i]! - dy[i]! * slope(at))).toBeLessThan(1e-6 * Math.abs(dy[i]!));
        });
      }),
      { seed: 31, numRuns: 40 },
    );
  });

  // The largest relative errors over 200,000 points of a range, rounded up; the figures of the sources' comments.
  it.each([
    ['tanh', 12, 2e-7],
    ['silu', 80, 2e-7],
    ['quickGelu', 5, 8e-7],
    ['geluNew', 3, 1e-6],
    ['geluErf', 3, 1e-6],
    ['geluErf', 8, 4e-6],
  ] as const)('%s up to %d is exact to %d relative', (name, range, allowed) => {
    const count = 200_000;
    const x = Float32Array.from({ length: count }, (_, i) => ((2 * i + 1) / count - 1) * range);
    const [value] = FORMULAS[name];
    const y = forward(name, x);
    const worst = y.reduce((largest, found, i) => Math.max(largest, Math.abs(found / value(x[i]!) - 1)), 0);
    expect(worst).toBeLessThan(allowed);
    expect(worst).toBeGreaterThan(allowed / 8);
  });

  it.each(names)('%s keeps its limits at large arguments and passes NaN on', (name) => {
    const x = Float32Array.of(60, 1e30, -60, -1e18, NaN, 0);
    const [value, slope] = FORMULAS[name];
    const y = forward(name, x);
    const dx = backward(name, new Float32Array(x.length).fill(1), x);
    for (const i of [0, 1]) {
      expect(y[i]).toBe(Math.fround(value(x[i]!)));
      expect(dx[i]).toBeCloseTo(slope(60), 6);
    }
    for (const i of [2, 3]) {
      expect(y[i]).toBeCloseTo(name === 'tanh' ? -1 : 0, 6);
      expect(dx[i]).toBeCloseTo(0, 6);
    }
    expect(y[4]).toBeNaN();
    expect(y[5]).toBe(0);
  });

  it('has geluNew under its own name, in place too', () => {
    const x = normals(5, 23);
    const dy = normals(6, 23);
    TestHeap.use(tested, (heap) => {
      const y = heap.inOut(x);
      tested.kernels.geluNew(y, 23, y);
      expect(heap.floats(y, 23)).toEqual(forward('geluNew', x));
      const dx = heap.inOut(dy);
      tested.kernels.geluNewBackward(dx, heap.input(x), 23, dx);
      expect(heap.floats(dx, 23)).toEqual(backward('geluNew', dy, x));
    });
  });
});
