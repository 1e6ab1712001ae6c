import {
  grads,
  memory,
  mul,
  sum,
  tensor1d,
  tensor2d,
  variable,
  variableGrads,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { countParameters, INFERENCE } from '@qlora-js/kernels';
import { describeBackends } from '@qlora-js/kernels/testing';
import { quantizeArray } from '../quantize/quantize-array';
import { quantStateToTensors } from '../serialization/state-dict';
import { QuantError } from '../errors';
import { Linear4bit } from './linear-4bit';

const OUT = 6;
const IN = 48;
const values = Float32Array.from({ length: OUT * IN }, (_, i) => Math.sin(i * 0.7));
const biasValues = [1, 2, 3, 4, 5, 6];

describeBackends('Linear4bit', () => {
  const layer = () => Linear4bit.fromDense(values, [OUT, IN], { name: 'w', dtype: 'float16' }, tensor1d(biasValues));

  it('gives the same from a dense weight and from stored tensors', async () => {
    const dense = layer();
    const tensors = quantStateToTensors('h.0.weight', quantizeArray(values, [OUT, IN]));
    const stored = Linear4bit.fromStored('h.0.weight', tensors, [OUT, IN], tensor1d(biasValues));
    const x = tensor2d(values.slice(0, 2 * IN), [2, IN]);
    const outputs = [dense, stored].map((module) => module.forward(x, INFERENCE));
    expect([...(await outputs[0]!.data())]).toEqual([...(await outputs[1]!.data())]);
    expect(await stored.storedWeight('h.0.weight')).toEqual(tensors);
    expect(() => Linear4bit.fromStored('h.0.weight', tensors, [IN, OUT])).toThrow(
      /'h\.0\.weight' stands for shape \[6, 48\], but \[48, 6\]/,
    );
    for (const held of [dense, stored, x, ...outputs]) held.dispose();
  });

  it('counts as the weights it stands for and gives all its memory back', () => {
    const before = memory().numTensors;
    const module = layer();
    expect(module.logicalParameters).toBe(OUT * IN + OUT);
    expect(countParameters(module)).toEqual({ trainable: 0, all: OUT * IN + OUT });
    expect(module.weight.shape).toEqual([OUT, IN]);
    expect(memory().numTensors - before).toBe(7);
    module.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it('lets gradients through to the input and the bias, never to the weight', async () => {
    const module = layer();
    const x = tensor2d(values.slice(0, 3 * IN), [3, IN]);
    const dense = module.denseWeight();
    const weights = await dense.data();
    const loss = (input: Tensor) => sum(mul(module.forward(input as Tensor2D, INFERENCE), 2));
    const [dx] = grads((input: Tensor) => loss(input))([x]);
    const expected = Array.from({ length: IN }, (_, k) => {
      let total = 0;
      for (let n = 0; n < OUT; n++) total += 2 * weights[n * IN + k]!;
      return total;
    });
    (await dx!.data()).forEach((slope, i) => expect(slope).toBeCloseTo(expected[i % IN]!, 4));

    module.bias!.setRequiresGrad(true);
    const { value, grads: byName } = variableGrads(() => loss(x) as Scalar);
    expect(Object.keys(byName)).toEqual([module.bias!.variable.name]);
    const [biasGradient] = Object.values(byName);
    expect([...(await biasGradient!.data())]).toEqual(new Array(OUT).fill(6));

    const { packed, state } = module.weight.quantized;
    for (const part of [packed, state.absmax]) {
      expect(() => grads((_held: Tensor) => loss(x))([part])).toThrow(/Cannot backprop through input (packed|absmax)/);
    }
    for (const held of [x, dense, dx!, value, biasGradient!, module]) held.dispose();
  });

  it('refuses to be trained or overwritten', () => {
    const module = layer();
    expect(() => module.weight.setRequiresGrad(true)).toThrow(QuantError);
    expect(() => module.weight.setRequiresGrad(true)).toThrow(/takes no gradient/);
    expect(() => module.weight.assign(variable(tensor1d([1])))).toThrow(/withWeight/);
    module.weight.setRequiresGrad(false);
    expect(module.weight.requiresGrad).toBe(false);
    module.dispose();
  });

  it('quantises another weight its own way, keeping the bias', async () => {
    const module = layer();
    const doubled = mul<Tensor2D>(module.denseWeight(), 2);
    const other = module.withWeight(doubled);
    const { quantType, blocksize, state2, dtype } = other.weight.quantized.state;
    expect([quantType, blocksize, state2?.blocksize, dtype]).toEqual(['nf4', 64, 256, 'float16']);
    expect([...(await (other.bias!.value as Tensor1D).data())]).toEqual(biasValues);
    const [found, expected] = [await other.denseWeight().data(), await doubled.data()];
    expected.forEach((value, i) => expect(Math.abs(found[i]! - value)).toBeLessThan(0.01));
    expect(module.bias!.value.isDisposed).toBe(false);
  });

  it('refuses weights and biases that do not fit', () => {
    const bias = tensor1d([1, 2]);
    expect(() => Linear4bit.fromDense(values, [OUT, IN], {}, bias)).toThrow(
      /bias has 2 elements, but the weight has 6 rows/,
    );
    expect(() => Linear4bit.fromDense(values, [OUT, IN, 1] as unknown as [number, number])).toThrow(/two dimensions/);
    expect(() => Linear4bit.fromDense(Float32Array.of(NaN), [1, 1], { name: 'h.1.w' })).toThrow(
      /h\.1\.w: element 0 of 1 is NaN/,
    );
  });
});
