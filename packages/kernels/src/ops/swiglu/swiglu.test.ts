import { grads, mul, sum, tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, expectDerivative, normals, runPoisoned } from '../../testing';
import { swigluBackwardReference, swigluReference } from './reference';
import { swiglu } from '.';

describeBackends('swiglu', (backend) => {
  it('and its gradients agree with the reference', async () => {
    // Sizes that are multiples of four and that are not: two shader variants.
    for (const shape of [[41], [5, 4, 8], [3, 7]]) {
      const size = shape.reduce((product, length) => product * length, 1);
      const [gates, ups, slopes] = [normals(1, size, 4), normals(2, size), normals(3, size)];
      const [gate, up, dy] = [gates, ups, slopes].map((values) => tensor(values, shape));
      const results = await runPoisoned(backend, () => [
        swiglu(gate!, up!),
        ...grads((a: Tensor, b: Tensor) => sum(mul(swiglu(a, b), dy!)))([gate!, up!]),
      ]);
      const tolerance = { absolute: 5e-6 };
      await expectClose('swiglu', backend, results[0]!, swigluReference(gates, ups), tolerance);
      const { dgate, dup } = swigluBackwardReference(slopes, gates, ups);
      await expectClose('swiglu backward, gate', backend, results[1]!, dgate, tolerance);
      await expectClose('swiglu backward, up', backend, results[2]!, dup, tolerance);
      for (const held of [gate!, up!, dy!]) held.dispose();
    }
  });

  it('stays finite where exp overflows', async () => {
    const gate = tensor1d([-1e4, -100, -30, 0, 30, 100, 1e4]);
    const up = tensor1d(new Float32Array(7).fill(2));
    const [y, dgate] = await runPoisoned(backend, () => [
      swiglu(gate, up),
      grads((a: Tensor, b: Tensor) => sum(swiglu(a, b)))([gate, up])[0]!,
    ]);
    expect(Array.from(y!, Math.round)).toEqual([-0, -0, -0, 0, 60, 200, 2e4]);
    expect(Array.from(dgate!, (value) => Math.abs(Math.round(value)))).toEqual([0, 0, 0, 1, 2, 2, 2]);
    for (const held of [gate, up]) held.dispose();
  });

  it('refuses shapes that differ', () => {
    expect(() => swiglu(tensor1d([1, 2]), tensor1d([1]))).toThrow('swiglu: up has shape [1], but [2] is needed');
  });
});

describe('swigluReference', () => {
  it('gates by silu of the first', () => {
    // silu(0) is 0 whatever the other is, silu(x) + silu(-x) is x (2 sigmoid(x) - 1).
    expect(Array.from(swigluReference([0, 20], [7, 3]), (value) => Number(value.toFixed(6)))).toEqual([0, 60]);
  });

  it('has the derivatives of its own forward pass', () => {
    const [gate, up, dy] = [normals(1, 9), normals(2, 9), normals(3, 9)];
    const value = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      swigluReference(a, b).reduce((total, y, i) => total + y * dy[i]!, 0);
    const { dgate, dup } = swigluBackwardReference(dy, gate, up);
    expectDerivative((moved) => value(moved, up), gate, dgate);
    expectDerivative((moved) => value(gate, moved), up, dup);
  });
});
