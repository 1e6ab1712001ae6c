import { sum, type Tensor } from '@tensorflow/tfjs-core';
import type { Op, OpGradient } from '../../engine/op';
import type { Matmul4bitAttributes, Matmul4bitInputs } from '../../products/types';

/** Inputs a weight is read from; tfjs saves inputs by name and an absent one can't be saved. */
export const WEIGHT_INPUTS = ['packed', 'absmax', 'code'] as const;
export const NESTED_WEIGHT_INPUTS = [...WEIGHT_INPUTS, 'nestedAbsmax', 'nestedCode', 'offset'] as const;

/**
 * y = x·Wᵀ gives dx = dy·W: the product again, the other way round (bitsandbytes autograd/_functions.py MatMul4Bit).
 * The weight has no gradient: tfjs refuses to differentiate by an input that is not named here.
 */
export function matmul4bitGradient(
  product: Op<Matmul4bitInputs, Matmul4bitAttributes>,
  saveInputs: readonly (keyof Matmul4bitInputs & string)[],
): OpGradient<Matmul4bitInputs, Matmul4bitAttributes> {
  return {
    saveInputs,
    backward: ([dy], saved, attributes) => {
      const weight = Object.fromEntries(saveInputs.map((name, i) => [name, saved[i]])) as Omit<
        Matmul4bitInputs,
        'x' | 'bias'
      >;
      return {
        x: (): Tensor =>
          product({ ...weight, x: dy!, bias: undefined } as Matmul4bitInputs, {
            ...attributes,
            transposed: !attributes.transposed,
          })[0]!,
        bias: (): Tensor => sum(dy!, 0),
      };
    },
  };
}
