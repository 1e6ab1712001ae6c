import {
  add,
  mul,
  sum,
  tensor1d,
  tensor2d,
  tidy,
  variable,
  variableGrads,
  type Tensor1D,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { describeBackends, normals } from '../../testing';
import { activation } from '../activation';
import { attention } from '../attention';
import { layerNorm, layerNormBranch } from '../layer-norm';
import { halfBits, halfValue } from '../../formats/half';
import { saveActivationsInFloat16 } from './save-activations';

const rounded = (values: Float32Array): Float32Array => values.map((value) => halfValue(halfBits(value)));

describeBackends('saveActivationsInFloat16', (backend) => {
  const run = async (loss: () => ReturnType<typeof sum>, by: Variable, half: boolean) => {
    const { device } = backend;
    const before = device.memory();
    device.resetPeakMemory();
    const { value, grads } = variableGrads(() => (half ? saveActivationsInFloat16(loss) : loss()) as never, [by]);
    const gradient = grads[by.name]!;
    const result = { value: (await value.data())[0]!, gradient: Float32Array.from(await gradient.data()) };
    for (const held of [value, gradient]) held.dispose();
    expect(device.memory().tensors, 'tensors left behind').toBe(before.tensors);
    return result;
  };

  it('gives the gradient at the rounded activation and the loss of the one that is not', async () => {
    const values = normals(1, 6 * 5);
    const slopes = tensor2d(normals(2, 6 * 5), [6, 5]);
    const [x, near] = [values, rounded(values)].map((data) => variable(tensor2d(data, [6, 5]))) as [Variable, Variable];
    const loss = (by: Variable) => () => sum(mul(activation(by as unknown as Tensor2D, 'gelu_new'), slopes));
    const half = await run(loss(x), x, true);
    expect(half.value).toBe((await run(loss(x), x, false)).value);
    expect(half.gradient).toEqual((await run(loss(near), near, false)).gradient);
    expect(half.gradient).not.toEqual((await run(loss(x), x, false)).gradient);
    for (const held of [x, near, slopes]) held.dispose();
  });

  it('follows float32 through norms, a branch around them and attention', async () => {
    const [rows, width] = [12, 8];
    const x = variable(tensor2d(normals(3, rows * 3 * width), [rows, 3 * width]));
    const [gamma, beta] = [4, 5].map((seed) => variable(tensor1d(normals(seed, 3 * width)), false)) as [
      Variable,
      Variable,
    ];
    const sequences = tensor2d([0, 7, 0, 7, 7, 5, 0, 5], [2, 4], 'int32');
    const slopes = tensor2d(normals(6, rows * width), [rows, width]);
    const scales = gamma as unknown as Tensor1D;
    const shifts = beta as unknown as Tensor1D;
    const loss = () =>
      tidy(() => {
        const [qkv, same] = layerNormBranch(x, scales, shifts);
        const again = layerNorm(activation(add(qkv, same), 'gelu_new'), scales, shifts);
        return sum(mul(attention(again, sequences, { heads: 2, scale: 0.5, keyStride: 16 }), slopes));
      });
    const [half, full] = [await run(loss, x, true), await run(loss, x, false)];
    expect(half.value).toBe(full.value);
    const largest = Math.max(...full.gradient.map(Math.abs));
    const error = Math.max(...half.gradient.map((value, i) => Math.abs(value - full.gradient[i]!)));
    expect(largest).toBeGreaterThan(0.5);
    expect(error).toBeGreaterThan(0);
    expect(error / largest).toBeLessThan(3e-3);
    for (const held of [x, gamma, beta, sequences, slopes]) held.dispose();
  });
});
