import {
  matMul,
  tensor1d,
  tensor2d,
  variable,
  zeros,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, expectDerivative, forAll, normals, runPoisoned } from '../../testing';
import { adamwReference, type AdamwReferenceResult, type AdamwReferenceStep } from './reference';
import { adamwStep, stepValues } from '.';

const cases = fc.record({
  size: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(1024, 4099)),
  learningRate: fc.constantFrom(1e-3, 0.1),
  beta1: fc.constantFrom(0.9, 0),
  beta2: fc.constantFrom(0.999, 0.95),
  epsilon: fc.constantFrom(1e-8, 1e-3),
  weightDecay: fc.constantFrom(0, 0.3),
  learningRateScale: fc.constantFrom(1, 16),
  gradientScale: fc.constantFrom(1, 1 / 1024),
});

/** A variable that shares its data with no other tensor. */
function owned(values: ArrayLike<number>): Variable {
  const initial = tensor1d(Float32Array.from(values));
  const made = variable(initial, false);
  initial.dispose();
  return made;
}

const plain = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

describeBackends('adamw', (backend) => {
  it('has the reference’s parameters and moments after each of three steps', async () => {
    await forAll(cases, async ({ size, learningRate, gradientScale, ...attributes }) => {
      const start = normals(1, size);
      const gradients = [2, 3, 4].map((seed) => normals(seed, size, 1 / gradientScale));
      const tensors = gradients.map((gradient) => tensor1d(gradient));
      const control = tensor1d([gradientScale, 1]);
      const [parameter, m, v] = await runPoisoned(backend, () => {
        const held = { parameter: owned(start), m: owned(new Float32Array(size)), v: owned(new Float32Array(size)) };
        const counter = owned([0]);
        for (const gradient of tensors) {
          const step = stepValues(learningRate, counter, control, attributes);
          adamwStep(held.parameter, gradient, held, step, attributes);
        }
        return [held.parameter, held.m, held.v, counter];
      });
      let expected: AdamwReferenceResult = {
        parameter: Float64Array.from(start),
        m: new Float64Array(size),
        v: new Float64Array(size),
      };
      gradients.forEach((gradient, index) => {
        const step = { ...attributes, learningRate: learningRate * attributes.learningRateScale, gradientScale };
        expected = adamwReference(expected.parameter, gradient, expected.m, expected.v, { ...step, t: index + 1 });
      });
      await expectClose('adamw, parameter', backend, parameter!, expected.parameter, { relative: 2e-6 });
      await expectClose('adamw, m', backend, m!, expected.m, { relative: 1e-6 });
      await expectClose('adamw, v', backend, v!, expected.v, { relative: 1e-6 });
      for (const held of [...tensors, control]) held.dispose();
    });
  });

  it('corrects for the start to float32’s digits at any step', async () => {
    for (const t of [1, 2, 10, 333, 1000, 5000, 1_000_000]) {
      const counter = owned([t - 1]);
      const values = stepValues(0.25, counter, undefined, { beta1: 0.9, beta2: 0.999 });
      const expected = [0.25, 1 - 0.9 ** t, Math.sqrt(1 - 0.999 ** t), t, 1, 1];
      const found = await values.data();
      for (const [i, value] of expected.entries()) {
        await expectClose('adamw step values', backend, [found[i]!], [value], { relative: 4e-7 });
      }
      for (const held of [counter, values]) held.dispose();
    }
  });

  it('leaves everything as it is where control says so, and does not count the step', async () => {
    const [parameter, m, v, counter] = [owned([1, 2, 3, 4]), owned([1, 0, 0, 0]), owned([0, 1, 0, 0]), owned([6])];
    const control = tensor1d([0, 0]);
    const gradient = tensor1d([NaN, Infinity, 1, 2]);
    const step = stepValues(0.1, counter, control, plain);
    adamwStep(parameter, gradient, { m, v }, step, plain);
    expect([...(await parameter.data())]).toEqual([1, 2, 3, 4]);
    expect([...(await m.data())]).toEqual([1, 0, 0, 0]);
    expect([...(await v.data())]).toEqual([0, 1, 0, 0]);
    expect([...(await counter.data())]).toEqual([6]);
    for (const held of [parameter, m, v, counter, control, gradient, step]) held.dispose();
  });

  it('takes the learning rate from the device as well', async () => {
    const [counter, rate] = [owned([0]), tensor1d([0.5])];
    const step = stepValues(rate, counter, undefined, plain);
    expect((await step.data())[0]).toBe(0.5);
    expect((await counter.data())[0]).toBe(1);
    for (const held of [counter, rate, step]) held.dispose();
  });

  it('changes no clone of a parameter, and no values read before', async () => {
    const initial = tensor1d([1, 2, 3]);
    const parameter = variable(initial, false);
    const snapshot = parameter.clone();
    const [m, v, counter] = [owned([0, 0, 0]), owned([0, 0, 0]), owned([0])];
    const gradient = tensor1d([1, 1, -1]);
    const update = (): void => {
      const step = stepValues(0.25, counter, undefined, plain);
      adamwStep(parameter, gradient, { m, v }, step, { ...plain, weightDecay: 0 });
      step.dispose();
    };
    update();
    expect([...(await initial.data())]).toEqual([1, 2, 3]);
    expect([...(await snapshot.data())]).toEqual([1, 2, 3]);
    const first = Array.from(await parameter.data());
    await expectClose('adamw, parameter', backend, first, [0.75, 1.75, 3.25], { relative: 1e-6 });
    for (const held of [initial, snapshot]) held.dispose();
    // A read that is under way while the next step is recorded.
    const reading = parameter.data();
    update();
    expect(Array.from(await reading)).toEqual(first);
    await expectClose('adamw, parameter', backend, parameter, [0.5, 1.5, 3.5], { relative: 1e-6 });
    for (const held of [parameter, m, v, counter, gradient]) held.dispose();
  });

  it('is seen by tfjs’ own products, which keep packed copies of their operands on wasm', async () => {
    const initial = tensor2d([1, 2, 3, 4], [2, 2]);
    const parameter = variable(initial, false);
    initial.dispose();
    const [m, v] = [variable(zeros([2, 2]), false), variable(zeros([2, 2]), false)];
    const [counter, x, gradient] = [owned([0]), tensor2d([1, 1], [1, 2]), tensor2d([1, -1, 1, -1], [2, 2])];
    const product = async (): Promise<number[]> => {
      const y = matMul(x, parameter as Tensor2D);
      const values = Array.from(await y.data());
      y.dispose();
      return values;
    };
    expect(await product()).toEqual([4, 6]);
    for (const expected of [
      [3.5, 6.5],
      [3, 7],
    ]) {
      const step = stepValues(0.25, counter, undefined, plain);
      adamwStep(parameter, gradient, { m, v }, step, { ...plain, weightDecay: 0 });
      step.dispose();
      await expectClose('adamw, product after', backend, await product(), expected, { relative: 1e-6 });
    }
    for (const held of [parameter, m, v, counter, x, gradient]) held.dispose();
  });

  it('refuses shapes that do not fit, naming them', () => {
    const [parameter, m, two, counter] = [owned([1, 2, 3]), owned([1, 2, 3]), owned([1, 2]), owned([0])];
    const step = stepValues(0.1, counter, undefined, plain);
    const call =
      (gradient: Tensor, state: { m: Variable; v: Variable }, values: Tensor1D = step) =>
      () =>
        adamwStep(parameter, gradient, state, values, plain);
    expect(call(two, { m, v: m })).toThrow('adamwStep: gradient has shape [2], but [3] is needed');
    expect(call(m, { m: two, v: m })).toThrow('adamwStep: m has shape [2], but [3] is needed');
    expect(call(m, { m, v: two })).toThrow('adamwStep: v has shape [2], but [3] is needed');
    expect(call(m, { m, v: m }, two as Tensor as Tensor1D)).toThrow('step has shape [2], but [6] is needed');
    expect(() => stepValues(0.1, two, undefined, plain)).toThrow('counter has shape [2], but [1] is needed');
    for (const held of [parameter, m, two, counter, step]) held.dispose();
  });
});

describe('adamwReference', () => {
  const step: AdamwReferenceStep = { ...plain, learningRate: 0.5, t: 1, gradientScale: 2 };

  it('moves by the learning rate against the sign of the first gradient, after the decay', () => {
    const { parameter, m, v } = adamwReference([1, -1], [3, -0.01], [0, 0], [0, 0], step);
    expect(parameter[0]).toBeCloseTo(0.95 - 0.5, 6);
    expect(parameter[1]).toBeCloseTo(-0.95 + 0.5, 6);
    expect(m[0]).toBeCloseTo(0.6, 12);
    expect(v[0]).toBeCloseTo(0.036, 12);
  });

  it('has the derivative of its own update by the old parameter', () => {
    const sum = (x: Float64Array): number =>
      adamwReference(x, [3, -2], [0.1, 0], [0.2, 0.5], step).parameter.reduce((total, value) => total + value, 0);
    expectDerivative(sum, [1, 2], [0.95, 0.95]);
  });
});
