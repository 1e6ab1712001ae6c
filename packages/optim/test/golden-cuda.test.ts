import { tensor1d } from '@tensorflow/tfjs-core';
import { createDynamicMap } from '@qlora-js/kernels';
import { expect, it } from 'vitest';
import { createOptimizer, type Optimizer, type OptimizerOptions } from '../src';
import { describeBackends } from '@qlora-js/kernels/testing';
import { trained } from '../src/testing/parameters';
import { adamw8bitRecord, type RecordedParameter, type RecordedState } from './adamw8bit-record';

/** tools/python/golden_adamw8bit_cuda.py, run on an H200. */
const { parameters, steps, cpuSteps } = adamw8bitRecord();
const [signed, unsigned] = [createDynamicMap({ signed: true }), createDynamicMap({ signed: false })];
const BLOCKSIZE = 256;

/** Elements further from what was recorded than 1e-6 + 1e-5 of it. */
function countOff(found: ArrayLike<number>, expected: Float32Array): number {
  return expected.filter((value, i) => !(Math.abs(found[i]! - value) <= 1e-6 + 1e-5 * Math.abs(value))).length;
}

/** What a moment is the sum of. */
type Terms = (i: number) => readonly [kept: number, added: number];

/** Codes that differ from the recorded ones although the moment is no tie, to a rounding of what it is the sum of. */
function wrongCodes(
  found: Uint8Array,
  expected: Uint8Array,
  { levels, terms, absmax }: { levels: Float32Array; terms: Terms; absmax: Float32Array },
): number[] {
  const wrong: number[] = [];
  expected.forEach((code, i) => {
    const scale = absmax[Math.floor(i / BLOCKSIZE)]!;
    // Every code of a block of zeros stands for zero.
    if (found[i] === code || scale === 0) return;
    const bound = (levels[code]! + levels[found[i]!]!) / 2;
    const [kept, added] = terms(i);
    const rounding = 2 ** -22 * (Math.abs(kept) + Math.abs(added) + scale * Math.abs(bound));
    const tie = Math.abs(kept + added - scale * bound) <= rounding;
    if (!tie || Math.abs(code - found[i]!) !== 1) wrong.push(i);
  });
  return wrong;
}

interface Running {
  readonly optimizer: Optimizer;
  step(gradient: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

function start(
  { size, betas, epsilon, weightDecay, learningRate }: RecordedParameter,
  from: Float32Array,
  options: OptimizerOptions,
): Running {
  const variable = trained(from, [size]);
  const group = [{ parameters: [{ name: 'p', variable }] }];
  const optimizer = createOptimizer('adamw_8bit', group, { betas, epsilon, weightDecay, min8bitSize: 1, ...options });
  return {
    optimizer,
    step: async (values) => {
      const gradient = tensor1d(values);
      await optimizer.step(new Map([['p', gradient]]), { learningRate });
      gradient.dispose();
      return (await variable.data<'float32'>()).slice();
    },
    dispose: () => {
      optimizer.dispose();
      variable.dispose();
    },
  };
}

/** One step from a recorded state; the parameter and the state after it. */
async function stepFrom(
  parameter: RecordedParameter,
  index: number,
  options: OptimizerOptions = {},
): Promise<{ values: Float32Array; state: RecordedState }> {
  const running = start(parameter, parameter.values(index), options);
  running.optimizer.loadStateDict({
    name: 'adamw_8bit',
    steps: index,
    parameters: { p: { ...parameter.stateBefore(index) } },
  });
  const values = await running.step(parameter.gradient(index));
  const state = (await running.optimizer.stateDict()).parameters['p'] as unknown as RecordedState;
  running.dispose();
  return { values, state };
}

/** The terms of both moments after a step, before they are quantised. */
function termsOfMoments({ betas, ...parameter }: RecordedParameter, index: number): Record<'m' | 'v', Terms> {
  const [beta1, beta2] = betas.map(Math.fround) as [number, number];
  const before = parameter.stateBefore(index);
  const gradient = parameter.gradient(index);
  const block = (i: number): number => Math.floor(i / BLOCKSIZE);
  return {
    m: (i: number) => [beta1 * signed[before.m[i]!]! * before.mAbsmax[block(i)]!, (1 - beta1) * gradient[i]!],
    v: (i: number) => [beta2 * unsigned[before.v[i]!]! * before.vAbsmax[block(i)]!, (1 - beta2) * gradient[i]! ** 2],
  };
}

describeBackends('bitsandbytes’ 8-bit AdamW as recorded', () => {
  it.each(parameters)('$name: each of CUDA’s steps comes out from the state before it', async (parameter) => {
    let off = 0;
    for (let index = 0; index < steps; index++) {
      const { values, state } = await stepFrom(parameter, index);
      const after = parameter.stateAfter(index);
      off += countOff(values, parameter.values(index + 1));
      expect(countOff(state.mAbsmax, after.mAbsmax) + countOff(state.vAbsmax, after.vAbsmax)).toBe(0);
      const { m, v } = termsOfMoments(parameter, index);
      const wrong = [
        ...wrongCodes(state.m, after.m, { levels: signed, terms: m, absmax: after.mAbsmax }),
        ...wrongCodes(state.v, after.v, { levels: unsigned, terms: v, absmax: after.vAbsmax }),
      ];
      expect(wrong, `codes after step ${index + 1}`).toEqual([]);
    }
    expect(off / (steps * parameter.size)).toBeLessThan(1e-3);
  });

  it.each(parameters)(
    '$name: the steps of its CPU path come out likewise, with the arithmetic of a CPU',
    async (parameter) => {
      for (const index of cpuSteps) {
        const { values, state } = await stepFrom(parameter, index, { arithmetic: 'cpu' });
        const after = parameter.cpuStateAfter(index);
        expect(countOff(values, parameter.cpuValues(index)), `after step ${index + 1}`).toBe(0);
        const differing = (['m', 'v'] as const).map(
          (key) => state[key].filter((code, i) => code !== after[key][i]).length,
        );
        expect(Math.max(...differing) / parameter.size, `codes after step ${index + 1}`).toBeLessThan(1e-3);
      }
    },
  );

  it.each([
    { name: 'default', share: 0.055, largest: 1e-5 },
    { name: 'decayed', share: 0.005, largest: 3e-3 },
    { name: 'undecayed', share: 0, largest: 1e-6 },
  ])('$name: 50 steps of its own drift from CUDA’s by no more than the README says', async ({ name, ...allowed }) => {
    const parameter = parameters.find((candidate) => candidate.name === name)!;
    const drift = async (options: OptimizerOptions): Promise<{ share: number; largest: number }> => {
      const running = start(parameter, parameter.values(0), options);
      let values = parameter.values(0);
      for (let index = 0; index < steps; index++) values = await running.step(parameter.gradient(index));
      running.dispose();
      const expected = parameter.values(steps);
      const largest = expected.reduce((most, value, i) => Math.max(most, Math.abs(values[i]! - value)), 0);
      return { share: countOff(values, expected) / parameter.size, largest };
    };
    const cuda = await drift({});
    expect(cuda.share).toBeLessThanOrEqual(allowed.share);
    expect(cuda.largest).toBeLessThanOrEqual(allowed.largest);
    // The record has cases in which the two of bitsandbytes part.
    const cpu = await drift({ arithmetic: 'cpu' });
    expect(cpu.share).toBeGreaterThan(0.1);
    expect(cpu.largest).toBeGreaterThan(10 * cuda.largest);
  });
});
