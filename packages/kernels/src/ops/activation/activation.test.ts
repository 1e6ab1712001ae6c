import { grad, mul, sum, tensor, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, normals, runPoisoned } from '../../testing';
import { activationBackwardReference, activationReference, erf } from './reference';
import { ACTIVATION_KINDS, type ActivationKind } from '../../formats/activations';
import { activation, activationNames, isActivationName } from '.';

/** Where a function bends: no derivative there, and none asked for within the reference's step of it. */
const KINKS: Partial<Record<ActivationKind, number[]>> = {
  relu: [0],
  relu_squared: [0],
  relu6: [0, 6],
  leaky_relu: [0],
  hardswish: [-3, 3],
  gelu_clipped: [10],
};

function awayFrom(kinks: number[], values: Float32Array): Float32Array {
  return values.map((x) => (kinks.some((kink) => Math.abs(x - kink) < 0.01) ? x + 0.05 : x));
}

describeBackends('activation', (backend) => {
  it.each(activationNames)('%s and its gradient agree with the reference', async (name) => {
    const kind = ACTIVATION_KINDS[name];
    // One size a multiple of four, one not: two shader variants.
    for (const shape of [[41], [5, 4, 8]]) {
      const size = shape.reduce((product, length) => product * length, 1);
      const values = awayFrom(KINKS[kind] ?? [], normals(size, size, 4));
      const slopes = normals(7, size);
      const x = tensor(values, shape);
      const dy = tensor(slopes, shape);
      const results = await runPoisoned(backend, () => [
        activation(x, name),
        grad((input) => sum(mul(activation(input, name), dy)))(x),
      ]);
      const expected = activationReference(kind, values);
      await expectClose('activation', backend, results[0]!, expected, { absolute: 5e-6 });
      const slope = activationBackwardReference(kind, slopes, values);
      await expectClose('activation backward', backend, results[1]!, slope, { absolute: 5e-6 });
    }
  });

  it.each(activationNames)('%s stays finite where float32 functions overflow', async (name) => {
    const values = [-1e4, -100, -30, 0, 30, 100, 1e4];
    const x = tensor1d(values);
    const results = await runPoisoned(backend, () => [
      activation(x, name),
      grad((input) => sum(activation(input, name)))(x),
    ]);
    const expected = activationReference(ACTIVATION_KINDS[name], values);
    await expectClose('activation, far out', backend, results[0]!, expected, { relative: 1e-6 });
    expect(results[1]!.every(Number.isFinite), `slopes ${results[1]!.join(', ')}`).toBe(true);
  });

  it('takes an empty tensor', async () => {
    const x = tensor([], [0, 3]);
    const [y] = await runPoisoned(backend, () => [activation(x, 'gelu_new')]);
    expect(y).toHaveLength(0);
  });

  it('names the known functions where one is not', () => {
    const x = tensor1d([1]);
    expect(() => activation(x, 'prelu' as 'relu')).toThrow(
      /activation: 'prelu' is unknown; the known ones are gelu_new, /,
    );
    expect(() => activation(x, 'toString' as 'relu')).toThrow("activation: 'toString' is unknown");
    expect(() => activation(tensor1d([1], 'int32'), 'relu')).toThrow('x has dtype int32');
    expect(isActivationName('quick_gelu')).toBe(true);
    expect(isActivationName('constructor')).toBe(false);
  });
});

describe('activationReference', () => {
  it('is what torch computes', () => {
    // torch 2, float64: nn.functional and transformers' ACT2FN at -1.5, 0.25 and 3.
    const expected: Partial<Record<ActivationKind, number[]>> = {
      gelu_tanh: [-0.10042842301976707, 0.149675350701685, 2.996362607918227],
      gelu_erf: [-0.10021080190328704, 0.14967658142073093, 2.99595030590511],
      gelu_clipped: [-0.10021080190328704, 0.14967658142073093, 2.99595030590511],
      gelu_sigmoid: [-0.10833780155292341, 0.1511996499001942, 2.981928690292214],
      relu: [0.0, 0.25, 3.0],
      relu_squared: [0.0, 0.0625, 9.0],
      relu6: [0.0, 0.25, 3.0],
      leaky_relu: [-0.015, 0.25, 3.0],
      silu: [-0.2736382857095345, 0.14054412522144952, 2.8577223804672998],
      hardswish: [-0.375, 0.13541666666666666, 3.0],
      mish: [-0.29809974216680674, 0.1695724096638176, 2.9865350049679575],
      sigmoid: [0.18242552380635635, 0.5621765008857981, 0.9525741268224334],
      tanh: [-0.9051482536448664, 0.24491866240370913, 0.9950547536867305],
      laplace: [2.55351295663786e-15, 0.052573090251858634, 0.9999999999999998],
      sqrt_softplus: [0.4487909067514096, 0.9088120927226065, 1.7460204327480655],
    };
    for (const [kind, values] of Object.entries(expected)) {
      const found = activationReference(kind as ActivationKind, [-1.5, 0.25, 3]);
      found.forEach((value, i) => expect(value, `${kind}[${i}]`).toBeCloseTo(values[i]!, 12));
    }
  });

  it('has an error function good to float64', () => {
    // DLMF table 7.23 and its continuation.
    expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 15);
    expect(erf(-2)).toBeCloseTo(-0.9953222650189527, 15);
    expect(erf(2.6)).toBeCloseTo(0.9997639655834707, 15);
    expect(erf(0)).toBe(0);
  });
});
