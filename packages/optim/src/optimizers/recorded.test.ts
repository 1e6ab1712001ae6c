import { tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { openDevice, plan } from '@qlora-js/kernels';
import { expect, it } from 'vitest';
import { clipGradients } from '../clipping/clip';
import { parametersOf, wave } from '../testing/parameters';
import { createOptimizer } from './create';

const SIZES = [4096, 33, 5001, 8192];

it('a recorded step, be it the first of all, does what the steps of step do', async () => {
  const device = await openDevice({ backend: 'webgpu' });
  const gradientsAt = (step: number): Record<string, Float32Array> =>
    Object.fromEntries(SIZES.map((size, i) => [`p${i}`, wave(size, 7 * step + i)]));
  const run = async (recorded: boolean): Promise<number[][]> => {
    const parameters = parametersOf(SIZES);
    const optimizer = createOptimizer('paged_adamw_8bit', [{ parameters, weightDecay: 0.1 }]);
    const apply = (inputs: Readonly<Record<string, Tensor>>): Tensor => {
      const { learningRate, ...gradients } = inputs;
      const named = new Map(Object.entries(gradients));
      const { norm, control } = clipGradients(named, { maxNorm: 1 });
      optimizer.stepSync(named, { learningRate: learningRate as never, control });
      control.dispose();
      return norm;
    };
    const inputsAt = (step: number): Record<string, Float32Array> => ({
      ...gradientsAt(step),
      learningRate: Float32Array.of(0.1 / (1 + step)),
    });
    const tensorsAt = (step: number): Record<string, Tensor> =>
      Object.fromEntries(Object.entries(inputsAt(step)).map(([name, values]) => [name, tensor1d(values)]));
    const example = tensorsAt(0);
    const step = recorded ? plan(device, apply, example) : undefined;
    for (const tensor of Object.values(example)) tensor.dispose();
    for (let index = 0; index < 3; index++) {
      if (step !== undefined) {
        step.run(inputsAt(index));
        continue;
      }
      const tensors = tensorsAt(index);
      for (const held of [apply(tensors), ...Object.values(tensors)]) held.dispose();
    }
    const values = await Promise.all(parameters.map(async ({ variable }) => Array.from(await variable.data())));
    expect((await optimizer.stateDict()).steps).toBe(3);
    step?.dispose();
    optimizer.dispose();
    for (const { variable } of parameters) variable.dispose();
    return values;
  };
  // Recorded before any optimiser of the process has made what steps share.
  const recorded = await run(true);
  expect(recorded).toEqual(await run(false));
  expect(recorded[0]![5]).not.toBe(wave(4096, 0)[5]);
  device.dispose();
});
