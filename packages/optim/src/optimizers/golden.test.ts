import { tensor } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { GoldenTensors } from '../../../../tools/test/safetensors';
import { createOptimizer } from './create';
import type { OptimizerName } from './optimizer';
import type { OptimizerOptions } from './create';
import { describeBackends } from '@qlora-js/kernels/testing';
import { trained } from '../testing/parameters';

const golden = new GoldenTensors(goldenPath('optim.safetensors'));
const PARAMETERS = [0, 1, 2];
const STEPS = golden.names.filter((name) => name.startsWith('grad.p0.')).length;

/** Largest share of a step's elements with an error above 1e-5 of themselves, and the largest error of all. */
interface Agreement {
  readonly off: number;
  readonly largest: number;
}

async function agreement(name: OptimizerName, key: string, options: OptimizerOptions = {}): Promise<Agreement> {
  const parameters = PARAMETERS.map((i) => ({
    name: `p${i}`,
    variable: trained(golden.floats(`init.p${i}`), golden.get(`init.p${i}`).shape),
  }));
  const optimizer = createOptimizer(name, [{ parameters, weightDecay: 0.05 }], options);
  let [worst, largest] = [0, 0];
  for (let step = 0; step < STEPS; step++) {
    const gradients = new Map(
      parameters.map((parameter, i) => [
        parameter.name,
        tensor(golden.floats(`grad.p${i}.s${step}`), parameter.variable.shape),
      ]),
    );
    await optimizer.step(gradients, { learningRate: 3e-3 });
    for (const gradient of gradients.values()) gradient.dispose();
    // Of paged states the last step alone is recorded.
    if (!golden.names.includes(`${key}.p0.s${step}`)) continue;
    let [off, count] = [0, 0];
    for (const i of PARAMETERS) {
      const expected = golden.floats(`${key}.p${i}.s${step}`);
      const found = await parameters[i]!.variable.data();
      const errors = expected.map((value, at) => Math.abs(found[at]! - value));
      off += errors.filter((error, at) => error > 1e-5 * Math.abs(expected[at]!)).length;
      count += errors.length;
      largest = errors.reduce((most, error) => Math.max(most, error), largest);
    }
    worst = Math.max(worst, off / count);
  }
  optimizer.dispose();
  for (const { variable } of parameters) variable.dispose();
  return { off: worst, largest };
}

describeBackends('the recorded steps', () => {
  it('of torch’s AdamW come out within 2e-6 of the largest value', async () => {
    const { off, largest } = await agreement('adamw_torch', 'adamw32');
    // The largest value is 0.4. Relative to themselves, elements near zero lose what they were smaller than lr.
    expect(largest).toBeLessThan(0.4 * 2e-6);
    expect(off).toBeLessThan(1e-3);
  });

  it('of bitsandbytes’ 8-bit AdamW on a CPU come out with its grid', async () => {
    for (const [name, key] of [
      ['adamw_8bit', 'adamw8bit'],
      ['adamw_bnb_8bit', 'adamw8bit'],
      ['paged_adamw_8bit', 'paged_adamw8bit'],
    ] as const) {
      const { off, largest } = await agreement(name, key, { arithmetic: 'cpu' });
      expect(off, name).toBeLessThan(1e-3);
      // A code that differs moves an update by a fraction of the learning rate.
      expect(largest, name).toBeLessThan(3e-3);
    }
  });

  it('of bitsandbytes on a CPU are a step at most from CUDA’s arithmetic, which decays after the step', async () => {
    const { off, largest } = await agreement('adamw_8bit', 'adamw8bit');
    expect(off).toBeGreaterThan(0.1);
    expect(largest).toBeLessThan(3e-3);
  });
});
