import { memory, tensor1d, tensor2d, type Tensor } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { describeBackends } from '@qlora-js/kernels/testing';
import { clipGradients } from './clip';

describeBackends('clipGradients', () => {
  it('has the norm and factor of torch.nn.utils.clip_grad_norm_, and leaves the gradients be', async () => {
    const gradients = new Map<string, Tensor>([
      ['a', tensor2d([1, -2, 3, 0.5, 0, -1], [2, 3])],
      ['b', tensor1d([4, -0.25])],
    ]);
    const before = memory().numTensors;
    const { norm, control } = clipGradients(gradients, { maxNorm: 1 });
    expect(memory().numTensors).toBe(before + 2);
    expect((await norm.data())[0]).toBeCloseTo(5.595757484436035, 6);
    const [factor, apply] = await control.data();
    expect(factor).toBeCloseTo(0.17870678007602692, 7);
    expect(apply).toBe(1);
    expect([...(await gradients.get('b')!.data())]).toEqual([4, -0.25]);
    for (const held of [norm, control, ...gradients.values()]) held.dispose();
  });

  it('refuses a list without gradients', () => {
    expect(() => clipGradients(new Map(), { maxNorm: 1 })).toThrow('there are no tensors');
  });
});
