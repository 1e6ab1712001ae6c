import { memory, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { createOptimizer } from './create';
import { OPTIMIZER_NAMES, type OptimizerName } from './optimizer';
import { describeBackends } from '@qlora-js/kernels/testing';
import { parametersOf, wave } from '../testing/parameters';
import type { NamedVariable } from '../groups/groups';

const gradientsFor = (parameters: readonly NamedVariable[], phase: number): Map<string, Tensor> =>
  new Map(parameters.map(({ name, variable: { size } }, i) => [name, tensor1d(wave(size, 10 * phase + i))]));

const values = async (parameters: readonly NamedVariable[]): Promise<number[][]> =>
  Promise.all(parameters.map(async ({ variable }) => Array.from(await variable.data())));

describeBackends('createOptimizer', () => {
  it('keeps moments in the bits the name says, and small ones in float32', () => {
    const bytes = (name: OptimizerName): number => {
      const parameters = parametersOf([4096, 4095]);
      const optimizer = createOptimizer(name, [{ parameters }]);
      const { deviceBytes } = optimizer.memory();
      optimizer.dispose();
      for (const { variable } of parameters) variable.dispose();
      return deviceBytes;
    };
    const float32 = 8 * (4096 + 4095);
    const eightBit = 2 * (4096 + 4 * 16) + 8 * 4095;
    const expected = OPTIMIZER_NAMES.map((name) => (name.includes('8bit') ? eightBit : float32));
    expect(OPTIMIZER_NAMES.map(bytes)).toEqual(expected);
  });

  it('multiplies a group’s learning rate and applies its decay', async () => {
    const [plain, scaled, decayed] = parametersOf([5, 5, 5]) as [NamedVariable, NamedVariable, NamedVariable];
    const before = await values([plain, scaled, decayed]);
    const optimizer = createOptimizer(
      'adamw_torch',
      [
        { parameters: [plain] },
        { parameters: [scaled], learningRateScale: 16 },
        { parameters: [decayed], weightDecay: 0.5 },
      ],
      { weightDecay: 0 },
    );
    const gradients = new Map(['p0', 'p1', 'p2'].map((name) => [name, tensor1d([1, -1, 1, -1, 1])]));
    await optimizer.step(gradients, { learningRate: 0.01 });
    const after = await values([plain, scaled, decayed]);
    // The first step of Adam moves by the learning rate, whatever the gradient's size.
    const moved = [0.01, 0.16, 0.01];
    after.forEach((row, i) =>
      row.forEach((value, at) => {
        const kept = before[i]![at]! * (i === 2 ? 1 - 0.01 * 0.5 : 1);
        expect(value).toBeCloseTo(kept - (at % 2 === 0 ? 1 : -1) * moved[i]!, 6);
      }),
    );
    optimizer.dispose();
    for (const held of [...gradients.values(), plain.variable, scaled.variable, decayed.variable]) held.dispose();
  });

  it('skips a step its control leaves out, as if it had never been', async () => {
    const run = async (skips: boolean): Promise<number[][]> => {
      const parameters = parametersOf([40, 5000]);
      const optimizer = createOptimizer('adamw_8bit', [{ parameters }]);
      const [apply, skip] = [tensor1d([1, 1]), tensor1d([0, 0])];
      for (const phase of [1, 2]) {
        const gradients = gradientsFor(parameters, phase);
        if (skips) await optimizer.step(gradients, { learningRate: 0.1, control: skip });
        await optimizer.step(gradients, { learningRate: 0.1, control: apply });
        for (const gradient of gradients.values()) gradient.dispose();
      }
      expect(optimizer.steps).toBe(skips ? 4 : 2);
      expect((await optimizer.stateDict()).steps).toBe(2);
      const result = await values(parameters);
      optimizer.dispose();
      for (const held of [apply, skip, ...parameters.map(({ variable }) => variable)]) held.dispose();
      return result;
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('gives everything back', async () => {
    const before = memory().numTensors;
    const parameters = parametersOf([10, 5000]);
    const gradients = gradientsFor(parameters, 1);
    const optimizer = createOptimizer('adamw_8bit', [{ parameters }]);
    await optimizer.step(gradients, { learningRate: 0.1 });
    const held = memory().numTensors;
    await optimizer.step(gradients, { learningRate: 0.1 });
    expect(memory().numTensors, 'a step leaves nothing behind').toBe(held);
    optimizer.dispose();
    optimizer.dispose();
    for (const { variable } of parameters) variable.dispose();
    for (const gradient of gradients.values()) gradient.dispose();
    expect(memory().numTensors).toBe(before);
    await expect(optimizer.step(gradients, { learningRate: 0.1 })).rejects.toThrow("'adamw_8bit' is disposed");
  });

  it('refuses what makes no sense, before any state is made', async () => {
    const parameters = parametersOf([3]);
    const before = memory().numTensors;
    const create =
      (options: object, group: object = {}) =>
      () =>
        createOptimizer('adamw_torch', [{ parameters, ...group }], options);
    expect(() => createOptimizer('adam' as OptimizerName, [])).toThrow("'adam' is unknown; there are adamw_torch, ");
    expect(create({ betas: [0.9, 1] })).toThrow('betas are 0.9, 1');
    expect(create({ epsilon: -1 })).toThrow('epsilon -1');
    expect(create({ weightDecay: NaN })).toThrow('weightDecay NaN');
    expect(create({ deviceMemoryBudget: -5 })).toThrow('deviceMemoryBudget -5');
    expect(create({}, { learningRateScale: Infinity })).toThrow("group's learningRateScale Infinity");
    expect(() => createOptimizer('adamw_torch', [{ parameters }, { parameters }])).toThrow(
      "'p0' is in the groups twice",
    );
    expect(memory().numTensors).toBe(before);
    const optimizer = create({})();
    await expect(optimizer.step(new Map(), { learningRate: 1 })).rejects.toThrow("there is no gradient for 'p0'");
    expect(optimizer.steps).toBe(0);
    optimizer.dispose();
    parameters[0]!.variable.dispose();
  });
});
