import { clone, sum } from '@tensorflow/tfjs-core';
import type { OpGradient } from '../../engine/op';
import { WEIGHT_INPUTS, weightOf } from '../../four-bit/take-apart';
import { dropoutNumbers } from '../../random/dropout-stream';
import { fromHalves } from './halves';
import { loraInner } from './inner';
import { choosePasses } from './passes';
import { loraProduct } from './product';
import type { LoraMatmul4bitAttributes, LoraMatmul4bitInputs, LoraMatmul4bitOutputs } from './types';
import { loraWeightGradients } from './weight-gradients';

const NO_DROPOUT = { rate: 0, site: 0 } as const;

/**
 * With g = dropout(dy) and dInner = scaling · g · b: dx = f'(x) (g·W + keep(dInner · a)), da = dInnerᵀ · keep(f(x)),
 * db = scaling · gᵀ · inner, f being the activation. All of it is computed once, whichever of the gradients are asked
 * for: what needs one needs them all while an adapter is trained.
 */
export const loraMatmul4bitGradient: OpGradient<LoraMatmul4bitInputs, LoraMatmul4bitAttributes, LoraMatmul4bitOutputs> =
  {
    saves: { inputs: ['x', 'a', 'b', 'random', ...WEIGHT_INPUTS], outputs: ['inner', 'keepBits'] },
    activations: { inputs: ['x'] },
    backward: ({ dy: { y: dy }, inputs, outputs: { inner, keepBits }, attributes }) => {
      const { activation, scaling, inputDropout, outputDropout, transposed, ...packed } = attributes;
      const { x, a, b, random } = inputs;
      const { keepScale } = dropoutNumbers(inputDropout.rate);
      const product = { ...packed, transposed: !transposed };
      const sizes = { rows: dy.shape[0] ?? 0, rank: inner.shape[2] ?? 0 };
      const { half, prepares } = choosePasses(sizes, product, { rate: outputDropout.rate, keeps: false });
      const weight = weightOf(inputs);
      const first = loraInner(
        { ...(prepares ? weight : {}), x: dy, factor: b, random },
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
      const slope = first.written ?? dy;
      const weightGradients = loraWeightGradients(
        { x, dy: slope, inner, dInner: first.inner, keepBits },
        { activation, scaling, keepScale },
      );
      const activated = activation === 'linear' ? undefined : x;
      const absent = { bias: undefined, residual: undefined, random: undefined };
      return {
        x: () =>
          loraProduct(
            {
              ...{ ...weight, ...absent, x: slope, inner: first.inner, factor: a },
              ...{ keepBits, activated, halfWeight: first.halfWeight },
            },
            { ...product, scale: 1, slope: activation, keepScale, outputDropout: NO_DROPOUT },
          ),
        a: () => weightGradients.a,
        b: () => weightGradients.b,
        bias: () => sum(outputDropout.rate > 0 ? fromHalves(slope, true) : dy, 0),
        residual: () => clone(dy),
      };
    },
  };
