import { add, clone, mul, tensor1d, variable, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { layTogether } from '../tfjs/together';
import { describeWebgpu } from '../testing/webgpu';
import { plan } from '.';

describeWebgpu('what a step was recorded with', (device) => {
  const owned = (value: number): Variable => {
    const initial = tensor1d([value, value, value]);
    const made = variable(initial, false);
    initial.dispose();
    return made;
  };
  const swap = (one: Variable, other: Variable): void => {
    const [first, second] = [clone(one), clone(other)];
    one.assign(second);
    other.assign(first);
    for (const held of [first, second]) held.dispose();
  };
  const x = { x: { shape: [3], dtype: 'float32' } } as const;
  /** One step that only reads the variables, and one that adds the input to the first. */
  const stepsOf = (a: Variable, b: Variable) => {
    const value = ({ x }: { x: Tensor }): Tensor => add(mul(a, 10), mul(b, x));
    const predict = plan(device(), value, x);
    const train = plan(
      device(),
      ({ x }) => {
        a.assign(add(a, x));
        return { read: mul(b, 1) };
      },
      x,
    );
    return {
      predicted: async (): Promise<number> => {
        predict.run({ x: Float32Array.of(1, 1, 1) });
        return (await predict.read('value'))[2]!;
      },
      train: (by: number): void => train.run({ x: Float32Array.of(by, by, by) }),
      dispose: (): void => [predict, train].forEach((step) => step.dispose()),
    };
  };
  const last = async (held: Tensor): Promise<number> => (await held.data())[2]!;

  it.each(['apart', 'together', 'together, the other way round'])(
    'is followed into a larger buffer, where it lay %s',
    async (lying) => {
      const [a, b, d] = [owned(1), owned(2), owned(3)];
      if (lying !== 'apart') layTogether([a, b]);
      if (lying.endsWith('round')) swap(a, b);
      const [first, second] = lying.endsWith('round') ? [2, 1] : [1, 2];
      const steps = stepsOf(a, b);
      expect(await steps.predicted()).toBe(10 * first + second);
      layTogether([d, a, b]);
      expect(await steps.predicted()).toBe(10 * first + second);
      layTogether([d, a, b]);
      steps.train(3);
      expect(await Promise.all([a, b, d].map(last))).toEqual([first + 3, second, 3]);
      expect(await steps.predicted()).toBe(10 * (first + 3) + second);
      for (const held of [a, b, d, steps]) held.dispose();
    },
  );

  it('is followed where variables of one buffer were assigned each other', async () => {
    const [a, b] = [owned(1), owned(2)];
    layTogether([a, b]);
    const steps = stepsOf(a, b);
    expect(await steps.predicted()).toBe(12);
    swap(a, b);
    expect(await steps.predicted()).toBe(21);
    swap(a, b);
    steps.train(3);
    expect(await Promise.all([a, b].map(last))).toEqual([4, 2]);
    a.assign(b);
    expect(await steps.predicted()).toBe(22);
    a.assign(b);
    steps.train(5);
    expect(await Promise.all([a, b].map(last))).toEqual([7, 2]);
    expect(await steps.predicted()).toBe(72);
    for (const held of [a, b, steps]) held.dispose();
  });
});
