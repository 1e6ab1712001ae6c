import { tensor1d, variable, type Variable } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDynamicMap } from '../../formats/dynamic-map';
import { describeBackends, expectClose, forAll, integers, normals, runPoisoned } from '../../testing';
import { stepValues } from '../adamw';
import { bytesToInt32, int32ToBytes } from '../blockwise8bit';
import { adamw8bitReference, type QuantizedMoment } from './reference';
import { adamw8bitLayout, adamw8bitMaps, adamw8bitState, adamw8bitSteps, type Adamw8bitState } from '.';

function owned(values: Float32Array | Int32Array): Variable {
  const initial = tensor1d(values, values instanceof Int32Array ? 'int32' : 'float32');
  const made = variable(initial, false);
  initial.dispose();
  return made;
}

/** Moments in the middle of a training: v is not so small beside m that an update explodes. */
function moments(size: number): { m: QuantizedMoment; v: QuantizedMoment } {
  const blocks = Math.ceil(size / 256);
  return {
    m: { codes: integers(1, size, 256), absmax: normals(2, blocks).map((value) => Math.abs(value) + 0.1) },
    v: { codes: integers(3, size, 100).map((code) => 155 + code), absmax: normals(4, blocks).map((x) => x * x + 1) },
  };
}

type Moments = Record<'m' | 'v', QuantizedMoment>;

function asState({ m, v }: Moments): Adamw8bitState {
  const layout = adamw8bitLayout(m.codes.length);
  const words = new Int32Array(layout.length);
  words.set(bytesToInt32(Uint8Array.from(m.codes)), layout.m);
  words.set(bytesToInt32(Uint8Array.from(v.codes)), layout.v);
  words.set(new Int32Array(Float32Array.from(m.absmax).buffer), layout.mAbsmax);
  words.set(new Int32Array(Float32Array.from(v.absmax).buffer), layout.vAbsmax);
  return owned(words);
}

/** The parts of a state's words. */
function partsOf(words: Int32Array, size: number) {
  const layout = adamw8bitLayout(size);
  const floats = (from: number, to: number): Float32Array => new Float32Array(words.slice(from, to).buffer);
  return {
    m: words.subarray(layout.m, layout.v),
    v: words.subarray(layout.v, layout.mAbsmax),
    mAbsmax: floats(layout.mAbsmax, layout.vAbsmax),
    vAbsmax: floats(layout.vAbsmax, layout.length),
  };
}

const cases = fc.record({
  size: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constantFrom(256, 4096, 5000)),
  weightDecay: fc.constantFrom(0, 0.3),
  learningRateScale: fc.constantFrom(1, 4),
  gradientScale: fc.constantFrom(1, 1 / 64),
  arithmetic: fc.constantFrom('cuda' as const, 'cpu' as const),
  nonFinite: fc.constantFrom(undefined, NaN, Infinity, -Infinity),
});

/** Codes may differ by one level, and only a few: where a moment lies within a rounding of a bound. */
function expectCodes(found: Uint8Array, expected: ArrayLike<number>): void {
  const differing = [...found].filter((code, i) => code !== expected[i]);
  const far = [...found].filter((code, i) => Math.abs(code - expected[i]!) > 1);
  expect(far, 'codes more than a level off').toEqual([]);
  expect(differing.length, `of ${found.length} codes differ`).toBeLessThanOrEqual(1 + found.length / 2000);
}

const plain = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

describeBackends('adamw8bit', (backend) => {
  it('has the reference’s parameters, codes and absmax after a step', async () => {
    await forAll(
      cases,
      async ({ size, arithmetic, gradientScale, nonFinite, ...others }) => {
        const attributes = { ...plain, ...others };
        const learningRate = 0.01;
        const start = normals(5, size);
        const gradient = normals(6, size, 1 / gradientScale);
        if (nonFinite !== undefined) gradient[size >> 1] = nonFinite;
        const before = moments(size);
        const maps = adamw8bitMaps(arithmetic);
        const [g, control] = [tensor1d(gradient), tensor1d([gradientScale, 1])];
        let sizes: number[] = [];
        const found = await runPoisoned(backend, () => {
          const parameter = owned(start);
          const state = asState(before);
          const counter = owned(Float32Array.of(6));
          const step = stepValues(learningRate, counter, control, attributes);
          adamw8bitSteps([{ parameter, gradient: g, state, attributes }], maps, step);
          const outputs = [parameter, state, counter];
          sizes = outputs.map((output) => output.size);
          return outputs;
        });
        expect(found.map(({ length }) => length)).toEqual(sizes);
        const scaled = {
          ...attributes,
          learningRate: learningRate * attributes.learningRateScale,
          gradientScale,
          t: 7,
        };
        const expected = adamw8bitReference(start, gradient, before.m, before.v, scaled, arithmetic);
        await expectClose('adamw8bit, parameter', backend, found[0]!, expected.parameter, { relative: 2e-6 });
        const { mAbsmax, vAbsmax } = partsOf(found[1] as Int32Array, size);
        await expectClose('adamw8bit, m absmax', backend, mAbsmax, expected.m.absmax, { relative: 1e-6 });
        await expectClose('adamw8bit, v absmax', backend, vAbsmax, expected.v.absmax, { relative: 1e-6 });
        for (const held of [maps.tables, g, control]) held.dispose();
      },
      16,
    );
  });

  it('has the reference’s codes, and a tail that pads its last word with zeros', async () => {
    for (const arithmetic of ['cuda', 'cpu'] as const) {
      const size = 5001;
      const before = moments(size);
      const [start, gradient] = [normals(7, size), normals(8, size)];
      gradient[300] = NaN;
      const [parameter, g, counter] = [owned(start), tensor1d(gradient), owned(Float32Array.of(0))];
      const state = asState(before);
      const maps = adamw8bitMaps(arithmetic);
      const step = stepValues(0.01, counter, undefined, plain);
      adamw8bitSteps([{ parameter, gradient: g, state, attributes: plain }], maps, step);
      const scaled = { ...plain, learningRate: 0.01, gradientScale: 1, t: 1 };
      const expected = adamw8bitReference(start, gradient, before.m, before.v, scaled, arithmetic);
      const { m, v } = partsOf((await state.data()) as Int32Array, size);
      for (const [words, wanted] of [
        [m, expected.m],
        [v, expected.v],
      ] as const) {
        expectCodes(int32ToBytes(words, size), wanted.codes);
        expect(words.at(-1)! >>> 8, 'padding').toBe(0);
      }
      expect((await parameter.data())[300]).toBe(start[300]);
      const zero = createDynamicMap({ signed: true })[int32ToBytes(m, size)[300]!];
      expect(Math.abs(zero!)).toBeLessThan(arithmetic === 'cuda' ? 1e-30 : 3e-5);
      for (const held of [parameter, g, counter, state, maps.tables, step]) held.dispose();
    }
  });

  it('as CUDA, gives a negative m nearest to zero the level below it, a positive one zero, and decays after the step', async () => {
    const gradient = Float32Array.of(1, -1e-9, 1e-9, 0);
    for (const [arithmetic, codes] of [
      ['cuda', [255, 126, 127, 127]],
      ['cpu', [255, 131, 131, 131]],
    ] as const) {
      const [parameter, g, state] = [owned(Float32Array.of(1, 1, 1, 1)), tensor1d(gradient), adamw8bitState(4)];
      const [maps, counter] = [adamw8bitMaps(arithmetic), owned(Float32Array.of(0))];
      const step = stepValues(0.25, counter, undefined, plain);
      adamw8bitSteps([{ parameter, gradient: g, state, attributes: { ...plain, weightDecay: 2 } }], maps, step);
      const { m } = partsOf((await state.data()) as Int32Array, 4);
      expect([...int32ToBytes(m, 4)], arithmetic).toEqual(codes);
      // A first step is the learning rate; the decay halves.
      const expected = arithmetic === 'cuda' ? [0.375, 0.5 * (1 + 0.25 / 11)] : [0.25, 0.5 + 0.25 / 11];
      await expectClose('adamw8bit, parameter', backend, (await parameter.data()).slice(0, 2), expected, {
        relative: 1e-5,
      });
      for (const held of [parameter, g, state, maps.tables, counter, step]) held.dispose();
    }
  });

  it('starts from nothing: the first step moves by the learning rate', async () => {
    const [parameter, gradient] = [owned(Float32Array.of(1, 1, 1)), tensor1d([2, -5, 0])];
    const [state, maps, counter] = [adamw8bitState(3), adamw8bitMaps(), owned(Float32Array.of(0))];
    const step = stepValues(0.25, counter, undefined, plain);
    adamw8bitSteps([{ parameter, gradient, state, attributes: { ...plain, weightDecay: 0 } }], maps, step);
    await expectClose('adamw8bit, parameter', backend, parameter, [0.75, 1.25, 1], { relative: 1e-6 });
    for (const held of [parameter, gradient, state, maps.tables, counter, step]) held.dispose();
  });

  it('steps several parameters at once as it does one by one, each by its own constants', async () => {
    const sizes = [700, 1, 256, 5001, 1024];
    const run = async (together: boolean): Promise<number[][]> => {
      const [maps, counter] = [adamw8bitMaps(), owned(Float32Array.of(3))];
      const step = stepValues(0.25, counter, undefined, plain);
      const entries = sizes.map((size, i) => ({
        parameter: owned(normals(10 + i, size)),
        gradient: tensor1d(normals(20 + i, size)),
        state: asState(moments(size)),
        attributes: { ...plain, weightDecay: 0.1 * i, learningRateScale: 1 + i },
      }));
      for (const part of together ? [entries] : entries.map((entry) => [entry])) adamw8bitSteps(part, maps, step);
      const held = entries.flatMap(({ parameter, state }) => [parameter, state]);
      const values = await Promise.all(held.map(async (tensor) => Array.from(await tensor.data())));
      for (const each of [...held, ...entries.map(({ gradient }) => gradient), maps.tables, counter, step])
        each.dispose();
      return values;
    };
    const alone = await run(false);
    expect(alone[0]).not.toEqual(Array.from(normals(10, 700)));
    expect(await run(true)).toEqual(alone);
  });

  it('leaves everything as it is where control says so', async () => {
    const before = moments(300);
    const [parameter, gradient] = [owned(normals(1, 300)), tensor1d(normals(2, 300).fill(NaN, 5, 6))];
    const [state, maps, counter, control] = [
      asState(before),
      adamw8bitMaps(),
      owned(Float32Array.of(0)),
      tensor1d([0, 0]),
    ];
    const step = stepValues(0.25, counter, control, plain);
    adamw8bitSteps([{ parameter, gradient, state, attributes: plain }], maps, step);
    expect(await parameter.data()).toEqual(normals(1, 300));
    const { m, vAbsmax } = partsOf((await state.data()) as Int32Array, 300);
    expect(int32ToBytes(m, 300)).toEqual(Uint8Array.from(before.m.codes));
    expect(vAbsmax).toEqual(Float32Array.from(before.v.absmax));
    for (const held of [parameter, gradient, state, maps.tables, counter, control, step]) {
      held.dispose();
    }
  });

  it('refuses states that do not fit, naming them', () => {
    const [parameter, gradient, counter] = [
      owned(normals(1, 300)),
      tensor1d(normals(2, 300)),
      owned(new Float32Array(1)),
    ];
    const [state, small, maps] = [adamw8bitState(300), adamw8bitState(5), adamw8bitMaps()];
    const step = stepValues(0.25, counter, undefined, plain);
    const call = (other: Adamw8bitState) => () =>
      adamw8bitSteps([{ parameter, gradient, state: other, attributes: plain }], maps, step);
    expect(call(small)).toThrow('state has shape [6], but [154] is needed');
    expect(call(parameter)).toThrow('state has dtype float32');
    const all = [parameter, gradient, counter, state, small, maps.tables, step];
    for (const held of all) held.dispose();
  });
});

describe('adamw8bitReference', () => {
  it('is AdamW where the levels hold the moments exactly', () => {
    // Level 255 is 1 in both maps: m = 0.5, v = 4.
    const m = { codes: [255], absmax: [0.5] };
    const v = { codes: [255], absmax: [4] };
    const step = { ...plain, weightDecay: 0, learningRate: 1, gradientScale: 1, t: 1e9 };
    const next = adamw8bitReference([0], [1], m, v, step, 'cuda');
    expect(next.parameter[0]).toBeCloseTo(-0.55 / Math.sqrt(0.999 * 4 + 0.001), 8);
    expect(next.m).toEqual({ codes: Uint8Array.of(255), absmax: Float32Array.of(0.55) });
  });
});
