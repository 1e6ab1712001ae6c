import { clone, sum, type Tensor } from '@tensorflow/tfjs-core';
import type { OpGradient } from '../../engine/op';
import { dropoutNumbers } from '../../random/dropout-stream';
import { fromHalves, halfPlan } from './halves';
import { loraInner } from './inner';
import { loraProduct } from './product';
import type { LoraMatmul4bitAttributes, LoraMatmul4bitInputs, ProductInputs } from './types';
import { loraWeightGradients } from './weight-gradients';

const NO_DROPOUT = { rate: 0, site: 0 } as const;

/**
 * With g = dropout(dy) and dInner = scaling · g · b: dx = f'(x) (g·W + keep(dInner · a)), da = dInnerᵀ · keep(f(x)),
 * db = scaling · gᵀ · inner, f being the activation. All of it is computed once, whichever of the gradients are asked
 * for: what needs one needs them all while an adapter is trained.
 */
export function loraMatmul4bitGradient(
  weightInputs: readonly (keyof LoraMatmul4bitInputs & string)[],
): OpGradient<LoraMatmul4bitInputs, LoraMatmul4bitAttributes> {
  const saveInputs = ['x', 'a', 'b', 'random', ...weightInputs];
  return {
    saveInputs,
    saveOutputs: [1, 2],
    activations: { inputs: ['x'] },
    backward: ([dy], saved, attributes) => {
      const { activation, scaling, inputDropout, outputDropout, transposed, ...packed } = attributes;
      const of = (name: string): Tensor => saved[saveInputs.indexOf(name)]!;
      const [inner, bits] = saved.slice(saveInputs.length) as [Tensor, Tensor];
      const random = of('random');
      const kept = inputDropout.rate > 0 ? { keepBits: bits } : { keepBits: undefined };
      const { keepScale } = dropoutNumbers(inputDropout.rate);
      const product = { ...packed, transposed: !transposed };
      const sizes = { rows: dy!.shape[0] ?? 0, rank: inner.shape[2] ?? 0 };
      const { half, prepares } = halfPlan(sizes, product, { rate: outputDropout.rate, keeps: false });
      const weight = Object.fromEntries(weightInputs.map((name) => [name, of(name)]));
      const [dInner, , dropped, halfWeight] = loraInner(
        { ...(prepares ? weight : {}), x: dy!, factor: of('b'), random },
        {
          activation: 'linear',
          factorTransposed: true,
          scale: scaling,
          dropout: outputDropout,
          writes: outputDropout.rate > 0 || half ? 'dropped' : 'nothing',
          half,
          weight: prepares ? product : undefined,
        },
      );
      const slope = dropped ?? dy!;
      const weightGradients = loraWeightGradients(
        { x: of('x'), dy: slope, inner, dInner: dInner!, ...kept },
        { activation, scaling, keepScale },
      );
      const activated = activation === 'linear' ? {} : { activated: of('x') };
      const inputs = {
        ...weight,
        x: slope,
        inner: dInner,
        factor: of('a'),
        ...kept,
        ...activated,
        halfWeight,
      } as unknown as ProductInputs;
      return {
        x: () =>
          loraProduct(inputs, {
            ...product,
            scale: 1,
            slope: activation,
            keepScale,
            outputDropout: NO_DROPOUT,
          })[0]!,
        a: () => weightGradients[0]!,
        b: () => weightGradients[1]!,
        bias: () => sum(outputDropout.rate > 0 ? fromHalves(slope, true) : dy!, 0),
        residual: () => clone(dy!),
      };
    },
  };
}
