import {
  add,
  grads,
  mul,
  sum,
  tensor1d,
  variable,
  variableGrads,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { describeBackends } from '../testing';
import { differentiable } from './gradient';
import { keepActivations } from './kept-activations';
import { defineOp, type OpGradient } from './op';

interface Inputs extends Record<string, Tensor | undefined> {
  x: Tensor;
  scale: Tensor | undefined;
  shift: Tensor | undefined;
}

interface Outputs {
  y: Tensor;
  square: Tensor | undefined;
  twice: Tensor;
}

const asked: string[] = [];

/** y = x scale + shift, twice = 2 x; scale and shift may be absent, and so may the square that is saved of x. */
const gradient: OpGradient<Inputs, { squares: boolean }, Outputs> = {
  saves: { inputs: ['scale', 'x'], outputs: ['square', 'twice'] },
  backward: ({ dy, inputs, outputs, attributes }) => ({
    x: () => {
      asked.push(`scale ${inputs.scale !== undefined}, square ${outputs.square !== undefined}, ${attributes.squares}`);
      const direct = inputs.scale === undefined ? dy.y : mul(dy.y, inputs.scale);
      return add(direct, mul(dy.twice, 2));
    },
    scale: () => mul(dy.y, inputs.x),
    shift: () => {
      asked.push('shift');
      return mul(dy.y, 1);
    },
  }),
};

const compose = ({ x, scale, shift }: Inputs, { squares }: { squares: boolean }): Outputs => {
  const scaled = scale === undefined ? mul(x, 1) : mul(x, scale);
  return {
    y: shift === undefined ? scaled : add(scaled, shift),
    square: squares ? mul(x, x) : undefined,
    twice: mul(x, 2),
  };
};

describeBackends('defineOp', () => {
  const run = defineOp<Inputs, { squares: boolean }, Outputs>({ name: 'QTestAbsent', compose, gradient });
  const values = async (tensor: Tensor): Promise<number[]> => [...(await tensor.data())];

  it('gives results by name, an absent one absent', async () => {
    const x = tensor1d([1, 2]);
    const all = run({ x, scale: tensor1d([3, 4]), shift: undefined }, { squares: true });
    expect(Object.keys(all)).toEqual(['y', 'square', 'twice']);
    expect(await values(all.y)).toEqual([3, 8]);
    expect(await values(all.square!)).toEqual([1, 4]);
    const fewer = run({ x, scale: undefined, shift: tensor1d([5, 5]) }, { squares: false });
    expect(Object.keys(fewer)).toEqual(['y', 'twice']);
    expect(await values(fewer.y)).toEqual([6, 7]);
    expect(await values(fewer.twice)).toEqual([2, 4]);
  });

  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('hands a backward pass what was there: scale %s, square %s', async (scaled, squares) => {
    const x = tensor1d([1, 2]);
    const scale = tensor1d([3, 4]);
    const forward = (input: Tensor): Tensor => {
      const { y, twice } = run({ x: input, scale: scaled ? scale : undefined, shift: undefined }, { squares });
      return add(y, mul(twice, tensor1d([10, 100])));
    };
    asked.length = 0;
    const [dx] = grads(forward)([x], tensor1d([1, 1]));
    // By y scale, or 1; by twice, whose gradient is 10 and 100, another 2 of it.
    expect(await values(dx!)).toEqual(scaled ? [23, 204] : [21, 201]);
    expect(asked).toEqual([`scale ${scaled}, square ${squares}, ${squares}`]);
  });

  it('gives a result that nobody used a gradient of zero', async () => {
    const [dx, dscale] = grads((x, scale) => run({ x, scale, shift: undefined }, { squares: true }).twice)(
      [tensor1d([1, 2]), tensor1d([3, 4])],
      tensor1d([1, 1]),
    );
    expect(await values(dx!)).toEqual([2, 2]);
    expect(await values(dscale!)).toEqual([0, 0]);
  });

  it('makes a gradient only where it is asked for', () => {
    const trained = variable(tensor1d([1, 2]));
    asked.length = 0;
    const { grads: by } = variableGrads(
      () => sum<Scalar>(run({ x: trained, scale: undefined, shift: tensor1d([1, 1]) }, { squares: false }).y),
      [trained],
    );
    expect(Object.keys(by)).toHaveLength(1);
    expect(asked).toEqual(['scale false, square false, false']);
    trained.dispose();
  });
});

describe('differentiable', () => {
  const packing = { pack: (x: Tensor) => mul(x, 0), unpack: (packed: Tensor) => add(packed, 7) };

  it.each([
    ['an activation, and nothing else, in the form that the keeper has for it', [7, 7], { inputs: ['x'] as const }],
    ['what it saves as it is where nothing is called an activation', [1, 2], undefined],
  ])('keeps %s', async (_title, seen, activations) => {
    let read: Tensor | undefined;
    const run = differentiable<{ x: Tensor; other: Tensor }, object>(({ x, other }) => mul(x, other), {
      saves: { inputs: ['x', 'other'] },
      ...(activations === undefined ? {} : { activations }),
      backward: ({ dy, inputs }) => ({
        x: () => mul(dy, inputs.other),
        other: () => {
          read = inputs.x;
          return mul(dy, inputs.x);
        },
      }),
    });
    const by = grads((x, other) => keepActivations(packing as never, () => run({ x, other }, {})))(
      [tensor1d([1, 2]), tensor1d([3, 4])],
      tensor1d([1, 1]),
    );
    expect(read).toBeDefined();
    expect([...(await by[0]!.data())]).toEqual([3, 4]);
    expect([...(await by[1]!.data())]).toEqual(seen);
  });
});
