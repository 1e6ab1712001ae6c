import { memory, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { openDevice } from '@qlora-js/kernels';
import { describe, expect, it } from 'vitest';
import { metricsFromConfusion } from '../from-confusion';
import { ConfusionAccumulator } from '.';

describe.each(['cpu', 'wasm', 'webgpu'] as const)('ConfusionAccumulator on %s', (backend) => {
  it('gives the counts since the last read', async () => {
    const device = await openDevice({ backend });
    const before = memory().numTensors;
    const accumulator = new ConfusionAccumulator(3);
    const add = (logits: number[], labels: number[]): void => {
      const tensors = [tensor2d(logits, [labels.length, 3]), tensor1d(labels, 'int32')] as const;
      accumulator.add(...tensors);
      for (const tensor of tensors) tensor.dispose();
    };
    add([9, 1, 2, 0, 5, 5, 1, 2, 3], [0, 2, 2]);
    add([1, 2, 0], [0]);
    const counts = await accumulator.read();
    expect(Array.from(counts)).toEqual([1, 1, 0, 0, 0, 0, 0, 1, 1]);
    expect(metricsFromConfusion(counts).accuracy).toBe(0.5);
    add([1, 2, 0], [1]);
    expect(Array.from(await accumulator.read())).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0]);
    add([1, 2, 0, 1, 2, 0], [3, 1]);
    await expect(accumulator.read()).rejects.toMatchObject({
      code: 'INVALID_LABEL',
      message: '1 labels are none of the 3 classes',
    });
    accumulator.dispose();
    expect(memory().numTensors).toBe(before);
    device.dispose();
  });
});
