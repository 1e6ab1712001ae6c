import { memory, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createOptimizer, type OptimizerOptions } from './create';
import type { Optimizer, OptimizerName, OptimizerStateDict } from './optimizer';
import { describeBackends } from '@qlora-js/kernels/testing';
import { parametersOf, trained, wave } from '../testing/parameters';
import type { NamedVariable } from '../groups/groups';

const SIZES = [33, 4096, 5001];

async function steps(
  optimizer: Optimizer,
  parameters: readonly NamedVariable[],
  from: number,
  to: number,
): Promise<void> {
  for (let step = from; step < to; step++) {
    const gradients = new Map(
      parameters.map(({ name, variable: { size } }, i) => [name, tensor1d(wave(size, 7 * step + i))]),
    );
    await optimizer.step(gradients, { learningRate: 0.01 });
    for (const gradient of gradients.values()) gradient.dispose();
  }
}

const read = (parameters: readonly NamedVariable[]): Promise<Float32Array[]> =>
  Promise.all(parameters.map(async ({ variable }) => (await variable.data<'float32'>()).slice()));

const dispose = (parameters: readonly NamedVariable[]): void =>
  parameters.forEach(({ variable }) => variable.dispose());

describeBackends('a state dict', () => {
  const cases: [OptimizerName, OptimizerName, OptimizerOptions][] = [
    ['adamw_torch', 'adamw_torch', {}],
    ['adamw_8bit', 'adamw_8bit', {}],
    ['adamw_8bit', 'paged_adamw_8bit', { pagingThreshold: 1000, deviceMemoryBudget: 0 }],
    ['paged_adamw_32bit', 'adamw_torch', { pagingThreshold: 1000, deviceMemoryBudget: 40_000 }],
  ];
  for (const [name, after, options] of cases) {
    it(`of ${name} goes on in ${after} bit for bit`, async () => {
      const [through, halved] = [parametersOf(SIZES), parametersOf(SIZES)];
      const whole = createOptimizer(name, [{ parameters: through }], options);
      await steps(whole, through, 0, 5);
      const first = createOptimizer(name, [{ parameters: halved }], options);
      await steps(first, halved, 0, 3);
      const state = await first.stateDict();
      first.dispose();
      const restored = (await read(halved)).map((values, i) => ({ name: `p${i}`, variable: trained(values) }));
      const second = createOptimizer(after, [{ parameters: restored }], options);
      await steps(second, restored, 90, 91);
      (await read(halved)).forEach((values, i) => restored[i]!.variable.assign(tensor1d(values)));
      second.loadStateDict(state);
      expect(second.steps).toBe(3);
      await steps(second, restored, 3, 5);
      expect(await read(restored)).toEqual(await read(through));
      const [found, expected] = [await second.stateDict(), await whole.stateDict()];
      expect(found.steps).toBe(5);
      expect(found.parameters).toEqual(expected.parameters);
      whole.dispose();
      second.dispose();
      [through, halved, restored].forEach(dispose);
    });
  }

  it('holds codes and absmax, or moments, as typed arrays of their own', async () => {
    const parameters = parametersOf([4, 4097]);
    const optimizer = createOptimizer('adamw_8bit', [{ parameters }]);
    await steps(optimizer, parameters, 0, 1);
    const state = await optimizer.stateDict();
    const kinds = Object.fromEntries(
      Object.entries(state.parameters).map(([name, states]) => [
        name,
        Object.entries(states).map(([key, value]) => `${key} ${value.constructor.name} ${value.length}`),
      ]),
    );
    expect(kinds).toEqual({
      p0: ['m Float32Array 4', 'v Float32Array 4'],
      p1: ['m Uint8Array 4097', 'v Uint8Array 4097', 'mAbsmax Float32Array 17', 'vAbsmax Float32Array 17'],
    });
    const gradient = wave(4, 0);
    state.parameters['p0']!['m']!.forEach((value, i) => expect(value).toBeCloseTo(0.1 * gradient[i]!, 6));
    const copy = state.parameters['p0']!['m']!.slice();
    await steps(optimizer, parameters, 1, 2);
    expect(state.parameters['p0']!['m']).toEqual(copy);
    optimizer.dispose();
    dispose(parameters);
  });
});

describe('a state dict that does not fit', () => {
  it('is refused with the place, and nothing has changed', async () => {
    const parameters = parametersOf([4, 4096]);
    const optimizer = createOptimizer('adamw_8bit', [{ parameters }]);
    await steps(optimizer, parameters, 0, 1);
    const good = await optimizer.stateDict();
    const tensors = memory().numTensors;
    const [p0, p1] = [good.parameters['p0']!, good.parameters['p1']!];
    const wrong: [Partial<OptimizerStateDict>, string][] = [
      [{ steps: -1 }, 'steps is -1'],
      [{ parameters: { p0 } }, "there is nothing for 'p1'"],
      [{ parameters: { ...good.parameters, p2: p0 } }, "'p2' is not trained here"],
      [
        { parameters: { p0, p1: { m: p1['m']!, v: p1['v']!, mAbsmax: p1['mAbsmax']! } } },
        "'vAbsmax' of 'p1' is missing",
      ],
      [{ parameters: { p0: p1, p1 } }, "'p0' has no state 'mAbsmax'; its moments have other bits"],
      [
        { parameters: { p0, p1: { ...p1, m: new Float32Array(4096) } } },
        "'m' of 'p1' is a Float32Array of 4096, but a Uint8Array",
      ],
      [
        { parameters: { p0: { ...p0, v: new Float32Array(3) }, p1 } },
        "'v' of 'p0' is a Float32Array of 3, but a Float32Array of 4",
      ],
    ];
    for (const [change, message] of wrong) {
      expect(() => optimizer.loadStateDict({ ...good, ...change })).toThrow(message);
    }
    expect(memory().numTensors).toBe(tensors);
    expect(await optimizer.stateDict()).toEqual(good);
    optimizer.dispose();
    dispose(parameters);
  });
});
