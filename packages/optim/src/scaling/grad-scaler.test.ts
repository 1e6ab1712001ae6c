import {
  memory,
  mul,
  scalar,
  square,
  sum,
  tensor1d,
  variableGrads,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { clipGradients } from '../clipping/clip';
import { createOptimizer } from '../optimizers/create';
import { describeBackends } from '@qlora-js/kernels/testing';
import { trained } from '../testing/parameters';
import { GradScaler, type GradScalerOptions } from './grad-scaler';

/** torch._amp_update_scale_ from 1024 with growth 2, backoff 0.5, interval 3: [found inf, scale, growth tracker]. */
const TORCH = [
  [1, 512, 0],
  [1, 256, 0],
  [0, 256, 1],
  [0, 256, 2],
  [0, 512, 0],
  [1, 256, 0],
  [0, 256, 1],
  [0, 256, 2],
  [0, 512, 0],
  [0, 512, 1],
] as const;

describeBackends('GradScaler', () => {
  it('grows and backs off as torch’s, counting what was skipped', async () => {
    const tensors = memory().numTensors;
    const scaler = new GradScaler({ initScale: 1024, growthInterval: 3 });
    let skippedSteps = 0;
    for (const [foundInf, scale, growthTracker] of TORCH) {
      const control = tensor1d([1, 1 - foundInf]);
      scaler.update(control);
      control.dispose();
      skippedSteps += foundInf;
      expect(await scaler.stateDict()).toEqual({ scale, growthTracker, skippedSteps });
    }
    expect(await scaler.stats()).toEqual({ scale: 512, skippedSteps: 3 });
    scaler.dispose();
    expect(memory().numTensors).toBe(tensors);
  });

  it('does not grow beyond float32', async () => {
    const scaler = new GradScaler({ initScale: 2 ** 127, growthInterval: 1 });
    const control = tensor1d([1, 1]);
    scaler.update(control);
    expect(await scaler.stateDict()).toEqual({ scale: 2 ** 127, growthTracker: 0, skippedSteps: 0 });
    scaler.dispose();
    control.dispose();
  });

  it('skips what overflows, and otherwise changes no update', async () => {
    const train = async (options: GradScalerOptions, steps: number): Promise<number[]> => {
      const variable = trained(Float32Array.of(1, -2, 3));
      const optimizer = createOptimizer('adamw_torch', [{ parameters: [{ name: 'w', variable }] }]);
      const scaler = new GradScaler(options);
      for (let step = 0; step < steps; step++) {
        const { value, grads } = variableGrads(
          () => scaler.scale(mul(sum<Scalar>(square(variable as Tensor)), 0.5)),
          [variable],
        );
        const gradients = new Map([['w', grads[variable.name]!]]);
        const { norm, control } = clipGradients(gradients, { maxNorm: 1, lossScale: scaler.lossScale });
        await optimizer.step(gradients, { learningRate: 0.1, control });
        scaler.update(control);
        for (const held of [value, norm, control, ...gradients.values()]) held.dispose();
      }
      const { scale, skippedSteps } = await scaler.stats();
      const values = Array.from(await variable.data());
      optimizer.dispose();
      scaler.dispose();
      variable.dispose();
      return [scale, skippedSteps, ...values];
    };
    const plain = await train({ enabled: false }, 3);
    // Gradients of 1, 2 and 3 have squares of 14 in sum; times 2^65 squared that is above float32's 2^128, times 2^62
    // squared below.
    const scaled = await train({ initScale: 2 ** 65 }, 6);
    expect(plain.slice(0, 2)).toEqual([1, 0]);
    expect(scaled.slice(0, 2)).toEqual([2 ** 62, 3]);
    scaled.slice(2).forEach((value, i) => expect(value).toBeCloseTo(plain[i + 2]!, 6));
  });

  it('leaves a loss as it is while disabled', async () => {
    const scaler = new GradScaler({ enabled: false });
    const [loss, control] = [scalar(3), tensor1d([0, 0])];
    expect(scaler.scale(loss)).toBe(loss);
    scaler.update(control);
    expect(await scaler.stats()).toEqual({ scale: 1, skippedSteps: 0 });
    for (const held of [loss, control]) held.dispose();
    scaler.dispose();
  });

  it('goes on from its state, and refuses another', async () => {
    const scaler = new GradScaler();
    scaler.loadStateDict({ scale: 8, growthTracker: 1999, skippedSteps: 4 });
    const control = tensor1d([1, 1]);
    scaler.update(control);
    expect(await scaler.stateDict()).toEqual({ scale: 16, growthTracker: 0, skippedSteps: 4 });
    expect(() => scaler.loadStateDict({ scale: NaN, growthTracker: 0, skippedSteps: 0 })).toThrow('scale NaN');
    expect(() => scaler.loadStateDict({ scale: 1, growthTracker: -1, skippedSteps: 0 })).toThrow('growthTracker -1');
    expect(() => new GradScaler({ growthFactor: 1 })).toThrow('growthFactor 1');
    expect(() => new GradScaler({ backoffFactor: 2 })).toThrow('backoffFactor 2');
    expect(() => new GradScaler({ growthInterval: 0 })).toThrow('growthInterval 0');
    expect(() => new GradScaler({ initScale: Infinity })).toThrow('initScale Infinity');
    control.dispose();
    scaler.dispose();
  });
});
