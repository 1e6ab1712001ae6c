import {
  add,
  clone,
  div,
  keep,
  matMul,
  memory,
  mul,
  relu,
  reshape,
  scalar,
  slice,
  softmax,
  square,
  sub,
  sum,
  tanh,
  tensor,
  tensor1d,
  tensor2d,
  tidy,
  transpose,
  variable,
  variableGrads,
  zeros,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { adamwStep, stepValues } from '../ops/adamw';
import { crossEntropy } from '../ops/cross-entropy';
import { dropout } from '../ops/dropout';
import { gemm } from '../ops/gemm';
import { layerNorm } from '../ops/layer-norm';
import { randomState } from '../random/dropout-stream';
import { forAll, integers, normals } from '../testing';
import { describeWebgpu } from '../testing/webgpu';
import { Arena, plan, type TensorSpec } from '.';

const float = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });
const int = (...shape: number[]): TensorSpec => ({ shape, dtype: 'int32' });

/** One link of a random chain: [rows, 8] to [rows, 8]. */
type Link = (x: Tensor2D, inputs: { random: Tensor1D; rate: Tensor }) => Tensor;

describeWebgpu('replay of a recorded function', (device) => {
  it('is bit-equal to eager for random chains of ops, with other inputs and random states each run', async () => {
    const weights = [1, 2, 3].map((seed) => tensor2d(normals(seed, 64), [8, 8]));
    const gamma = tensor1d(normals(4, 8));
    const links: Record<string, Link> = {
      matMul: (x) => matMul(x, weights[0]!),
      gemm: (x) => gemm(x, weights[1]!, { transposeB: true, alpha: 0.5 }),
      residual: (x) => add(x, tanh(matMul(x, weights[2]!))),
      relu: (x) => relu(x),
      softmax: (x) => softmax(x),
      layerNorm: (x) => layerNorm(x, gamma, gamma, 1e-5),
      dropout: (x, { random }) => dropout(x, { rate: 0.3, random, site: 7 }),
      scaled: (x, { rate }) => mul(sub(x, scalar(0.25)), rate),
      turned: (x) => reshape(transpose(x), x.shape),
      sliced: (x) => add(x, slice(x, [0, 0], [1, 8])),
      mixed: (x) => div(x, add(square(x), tensor1d(Float32Array.from({ length: 8 }, (_, i) => i + 1)))),
    };
    const cases = fc.record({
      names: fc.array(fc.constantFrom(...Object.keys(links)), { minLength: 1, maxLength: 12 }),
      rows: fc.integer({ min: 1, max: 9 }),
      seed: fc.nat(1000),
    });
    await forAll(cases, async ({ names, rows, seed }) => {
      const run = (inputs: { x: Tensor; random: Tensor; rate: Tensor }): { last: Tensor; mean: Tensor } => {
        const given = { random: inputs.random as Tensor1D, rate: inputs.rate };
        const last = names.reduce<Tensor>((x, name) => links[name]!(x as Tensor2D, given), inputs.x);
        return { last, mean: sum(last) };
      };
      const step = plan(device(), run, { x: float(rows, 8), random: int(4 + rows), rate: float() });
      for (const at of [0, 1, 2]) {
        const x = tensor(normals(seed + at, rows * 8), [rows, 8]);
        const random = randomState({ seed, step: at }, rows);
        const rate = scalar(0.1 * at);
        const eager = tidy(() => run({ x, random, rate }));
        const expected = [await eager.last.data(), await eager.mean.data()];
        poison(device().gpuDevice!, step);
        // Numbers, tensors the host still has, and tensors on the GPU.
        step.run({ x: at === 1 ? x : await x.data(), random, rate: 0.1 * at });
        expect([await step.read('last'), await step.read('mean')]).toEqual(expected);
        for (const held of [x, random, rate, eager.last, eager.mean]) held.dispose();
      }
      step.dispose();
    });
    for (const held of [...weights, gamma]) held.dispose();
  });

  it('trains as eager does: gradients, dropout, and AdamW in place', async () => {
    const rows = 6;
    const make = (): {
      w: ReturnType<typeof variable>[];
      m: ReturnType<typeof variable>[];
      counter: ReturnType<typeof variable>;
    } => ({
      w: [variable(tensor(normals(1, 40, 0.3), [8, 5])), variable(tensor(normals(2, 25, 0.3), [5, 5]))],
      m: [0, 0, 1, 1].map((index) => variable(zeros(index === 0 ? [8, 5] : [5, 5]))),
      counter: variable(zeros([1])),
    });
    const train =
      ({ w, m, counter }: ReturnType<typeof make>) =>
      (inputs: { x: Tensor; labels: Tensor; rate: Tensor; random: Tensor }) => {
        const { value, grads } = variableGrads(() => {
          const hidden = dropout(tanh(matMul(inputs.x as Tensor2D, w[0] as Tensor2D)), {
            rate: 0.2,
            random: inputs.random as Tensor1D,
            site: 1,
          });
          return crossEntropy(matMul(hidden as Tensor2D, w[1] as Tensor2D), inputs.labels as Tensor1D);
        }, w);
        const values = stepValues(inputs.rate as Tensor1D, counter, undefined, { beta1: 0.9, beta2: 0.999 });
        const attributes = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
        adamwStep(w[0]!, grads[w[0]!.name]!, { m: m[0]!, v: m[1]! }, values, attributes);
        adamwStep(w[1]!, grads[w[1]!.name]!, { m: m[2]!, v: m[3]! }, values, attributes);
        return { loss: value };
      };
    const shapes = (state: ReturnType<typeof make>): void => {
      state.m[1]!.dispose();
      state.m[1] = variable(zeros([8, 5]));
    };
    const eager = make();
    const planned = make();
    shapes(eager);
    shapes(planned);
    const specs = { x: float(rows, 8), labels: int(rows), rate: float(1), random: int(4 + rows) };
    const step = plan(device(), train(planned), specs);
    expect(await planned.w[0]!.data(), 'recording changes nothing').toEqual(normals(1, 40, 0.3));
    for (let at = 0; at < 5; at++) {
      const x = normals(at + 10, rows * 8);
      const labels = integers(at, rows, 5);
      const random = await randomState({ seed: 3, step: at }, rows).data();
      const loss = tidy(
        () =>
          train(eager)({
            x: tensor(x, [rows, 8]),
            labels: tensor1d(labels, 'int32'),
            rate: tensor1d([0.01 / (at + 1)]),
            random: tensor1d(random, 'int32'),
          }).loss,
      );
      step.run({ x, labels, rate: [0.01 / (at + 1)], random });
      expect(await step.read('loss')).toEqual(await loss.data());
      loss.dispose();
    }
    const all = (state: ReturnType<typeof make>): Tensor[] => [...state.w, ...state.m, state.counter];
    for (const [index, tensor_] of all(planned).entries())
      expect(await tensor_.data()).toEqual(await all(eager)[index]!.data());
    expect(await planned.counter.data()).toEqual(Float32Array.of(5));
    step.dispose();
    for (const held of [...all(eager), ...all(planned)]) held.dispose();
  });

  it('copies what Variable.assign gives into the variable, also where variables trade values or share data', async () => {
    const a = variable(tensor1d([1, 2]));
    const b = variable(tensor1d([10, 20]));
    const snapshot = clone(a);
    const step = plan(
      device(),
      ({ x }: { x: Tensor }) => {
        const before = clone(a);
        a.assign(clone(b));
        b.assign(before);
        a.assign(add(a, x));
        return { before };
      },
      { x: float(2) },
    );
    step.run({ x: [1, 1] });
    expect([await a.data(), await b.data()]).toEqual([Float32Array.of(11, 21), Float32Array.of(1, 2)]);
    expect(await step.read('before')).toEqual(Float32Array.of(1, 2));
    step.run({ x: [0, 5] });
    expect([await a.data(), await b.data()]).toEqual([Float32Array.of(1, 7), Float32Array.of(11, 21)]);
    expect(await snapshot.data()).toEqual(Float32Array.of(1, 2));
    const late = clone(a);
    step.run({ x: [0, 0] });
    expect([await late.data(), await a.data()]).toEqual([Float32Array.of(1, 7), Float32Array.of(11, 21)]);
    step.dispose();
    for (const held of [a, b, snapshot, late]) held.dispose();
  });

  it('lets several plans share weights and an arena, and follows a variable that eager code assigns', async () => {
    const w = variable(tensor1d([1, 2, 3]));
    const arena = new Arena(device());
    const double = plan(device(), ({ x }: { x: Tensor }) => mul(square(mul(x, 2)), w), { x: float(3) }, { arena });
    const wide = plan(
      device(),
      ({ x }: { x: Tensor }) => sum(mul(square(add(x, 1)), w), 1),
      { x: float(4, 3) },
      { arena },
    );
    const decay = plan(device(), () => ({ w: (w.assign(mul(w, 0.5)), w) }), {});
    double.run({ x: [1, 1, 1] });
    wide.run({ x: new Float32Array(12) });
    double.run({ x: [1, 1, 2] });
    expect(await double.read('value')).toEqual(Float32Array.of(4, 8, 48));
    expect(await wide.read('value')).toEqual(new Float32Array(4).fill(6));
    decay.run({});
    wide.run({ x: new Float32Array(12) });
    expect([await decay.read('w'), await wide.read('value')]).toEqual([
      Float32Array.of(0.5, 1, 1.5),
      new Float32Array(4).fill(3),
    ]);
    w.assign(tensor1d([5, 0, 0]));
    double.run({ x: [1, 1, 1] });
    expect(await double.read('value')).toEqual(Float32Array.of(20, 0, 0));
    decay.run({});
    expect(await w.data()).toEqual(Float32Array.of(2.5, 0, 0));
    for (const held of [double, wide, decay, arena, w]) held.dispose();
  });

  it('gives outputs as tensors whose values follow the runs', async () => {
    const step = plan(device(), ({ x }: { x: Tensor }) => ({ twice: mul(x, 2), same: x, three: scalar(3) }), {
      x: float(2),
    });
    step.run({ x: [1, 2] });
    const { twice } = step.outputs;
    expect(await twice.data()).toEqual(Float32Array.of(2, 4));
    const shifted = add(twice, 1);
    step.run({ x: [5, 6] });
    expect(await twice.data()).toEqual(Float32Array.of(10, 12));
    expect(await shifted.data()).toEqual(Float32Array.of(3, 5));
    expect([await step.read('same'), await step.read('three')]).toEqual([Float32Array.of(5, 6), Float32Array.of(3)]);
    shifted.dispose();
    step.dispose();
  });

  it('leaves tfjs as it was, also where the function throws', () => {
    const w = variable(tensor1d([1, 2]));
    const before = memory().numTensors;
    const failing = (): unknown =>
      plan(
        device(),
        ({ x }: { x: Tensor }) => {
          w.assign(add(w, x));
          throw new Error('no');
        },
        { x: float(2) },
      );
    expect(failing).toThrow('no');
    plan(device(), ({ x }: { x: Tensor }) => square(add(w, x)), { x: float(2) }).dispose();
    expect(memory().numTensors).toBe(before);
    w.dispose();
  });

  it('says what cannot be recorded', async () => {
    const x = { x: float(2) };
    const record = (run: (inputs: { x: Tensor }) => Tensor) => (): unknown => plan(device(), run, x);
    const outside = tensor1d([1, 2]);
    expect(record((inputs) => mul(inputs.x, inputs.x.dataSync()[0]!))).toThrow(/reads values of a tensor on the host/);
    expect(record((inputs) => keep(square(inputs.x)))).toThrow(/keeps a tensor that it computes/);
    expect(record((inputs) => variable(square(inputs.x)))).toThrow(/makes the variable/);
    expect(record((inputs) => (outside.dispose(), square(inputs.x)))).toThrow(/disposes of a tensor made before/);
    const step = plan(device(), (inputs: { x: Tensor }) => square(inputs.x), x);
    expect(() => step.run({})).toThrow(/input x is missing/);
    expect(() => step.run({ x: [1] })).toThrow(/1 values, but shape \[2\]/);
    expect(() => step.run({ x: [1, 2], y: 3 })).toThrow(/no input y; the inputs are x/);
    await expect(step.read('loss' as 'value')).rejects.toThrow(/no output loss; it has value/);
    step.dispose();
    expect(() => step.run({ x: [1, 2] })).toThrow(/disposed of/);
  });
});

/** Writes NaN into all the intermediates of a step: a run may depend on none of what an earlier one left. */
function poison(gpuDevice: GPUDevice, step: object): void {
  for (const buffer of (step as { slots: GPUBuffer[] }).slots) {
    gpuDevice.queue.writeBuffer(buffer, 0, new Uint8Array(buffer.size).fill(0xff));
  }
}
