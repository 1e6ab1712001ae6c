import { memory, tensor1d } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { createOptimizer, type OptimizerOptions } from '../optimizers/create';
import type { OptimizerMemory, OptimizerName } from '../optimizers/optimizer';
import { describeBackends } from '@qlora-js/kernels/testing';
import { parametersOf, wave } from '../testing/parameters';

/** Three pageable parameters and one below the threshold. */
const SIZES = [5000, 5000, 100, 5000];
const STEPS = 3;

/** Bytes of the 8-bit states of 5000 elements, and of the float32 states of 100. */
const STATE = 2 * (5000 + 4 * 20);
const SMALL = 8 * 100;

interface Run {
  readonly values: Float32Array[];
  readonly memory: OptimizerMemory;
  /** Largest sum of resident states seen between steps. */
  readonly deviceBytes: number;
}

async function train(name: OptimizerName, options: OptimizerOptions = {}): Promise<Run> {
  const tensors = memory().numTensors;
  const parameters = parametersOf(SIZES);
  const optimizer = createOptimizer(name, [{ parameters, weightDecay: 0.01 }], options);
  let deviceBytes = 0;
  for (let step = 0; step < STEPS; step++) {
    const gradients = new Map(
      parameters.map(({ name: parameter, variable: { size } }, i) => [parameter, tensor1d(wave(size, 5 * step + i))]),
    );
    await optimizer.step(gradients, { learningRate: 0.01 });
    deviceBytes = Math.max(deviceBytes, optimizer.memory().deviceBytes);
    for (const gradient of gradients.values()) gradient.dispose();
  }
  const values = await Promise.all(parameters.map(async ({ variable }) => (await variable.data<'float32'>()).slice()));
  const used = optimizer.memory();
  optimizer.dispose();
  for (const { variable } of parameters) variable.dispose();
  expect(memory().numTensors).toBe(tensors);
  return { values, memory: used, deviceBytes };
}

describeBackends('paging', () => {
  it('pages states out and in with the budget of one, and changes no bit', async () => {
    const plain = await train('adamw_8bit');
    const paged = await train('paged_adamw_8bit', { pagingThreshold: 1000, deviceMemoryBudget: STATE });
    expect(paged.values).toEqual(plain.values);
    // One is on the device from the start and waits there for its update; every later update pages its states in and
    // another's out.
    expect(paged.memory).toMatchObject({ pageIns: 3 * STEPS - 1, pageOuts: 3 * STEPS - 1 });
    expect(paged.deviceBytes).toBe(STATE + SMALL);
    expect(paged.memory).toMatchObject({ deviceBytes: STATE + SMALL, hostBytes: 2 * STATE });
    expect(plain.memory).toMatchObject({ deviceBytes: 3 * STATE + SMALL, hostBytes: 0, pageIns: 0, pageOuts: 0 });
  });

  it('cannot page within a step that awaits nothing', () => {
    const parameters = parametersOf([5000]);
    const optimizer = createOptimizer('paged_adamw_8bit', [{ parameters }], {
      deviceMemoryBudget: 0,
      pagingThreshold: 1,
    });
    const gradients = new Map([['p0', tensor1d(wave(5000, 1))]]);
    expect(() => optimizer.stepSync(gradients, { learningRate: 0.1 })).toThrow(/deviceMemoryBudget.*call step/);
    expect(optimizer.steps).toBe(0);
    optimizer.dispose();
    for (const held of [...gradients.values(), parameters[0]!.variable]) held.dispose();
  });

  it('keeps nothing pageable on the device between updates with a budget of 0', async () => {
    const plain = await train('adamw_torch');
    const paged = await train('paged_adamw_32bit', { pagingThreshold: 1000, deviceMemoryBudget: 0 });
    expect(paged.values).toEqual(plain.values);
    expect(paged.deviceBytes).toBe(SMALL);
    expect(paged.memory).toMatchObject({ hostBytes: 3 * 8 * 5000, pageIns: 3 * STEPS, pageOuts: 3 * STEPS });
  });

  it('pages out the least recently used, and no more than needed', async () => {
    const paged = await train('paged_adamw_8bit', { pagingThreshold: 1000, deviceMemoryBudget: 2 * STATE + 100 });
    // p0 and p1 start on the device. Each step goes over p0, p1, p3 in a ring that holds two: p3 pushes p0 out, which
    // then pushes p1 out, and so on; of the nine updates only the first two find their states.
    expect(paged.memory).toMatchObject({ pageIns: 7, pageOuts: 7, hostBytes: STATE, deviceBytes: 2 * STATE + SMALL });
  });

  it('pages nothing with room for all, below the threshold, or without the name', async () => {
    const runs: [OptimizerName, OptimizerOptions][] = [
      ['paged_adamw_8bit', { pagingThreshold: 1000, deviceMemoryBudget: 3 * STATE }],
      ['paged_adamw_8bit', { pagingThreshold: 1000 }],
      ['paged_adamw_8bit', { deviceMemoryBudget: 0 }],
      ['adamw_8bit', { pagingThreshold: 1000, deviceMemoryBudget: 0 }],
    ];
    for (const [name, options] of runs) {
      const run = await train(name, options);
      expect(run.memory).toMatchObject({ pageIns: 0, pageOuts: 0, hostBytes: 0 });
    }
  });
});
