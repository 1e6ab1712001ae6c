import { sum } from '@tensorflow/tfjs-core';
import type { Op, OpGradient } from '../../engine/op';
import { WEIGHT_INPUTS } from '../../four-bit/take-apart';
import type { Matmul4bitAttributes, Matmul4bitInputs } from '../../products/types';

/**
 * y = x·Wᵀ gives dx = dy·W: the product again, the other way round (bitsandbytes autograd/_functions.py MatMul4Bit).
 * The weight has no gradient: tfjs refuses to differentiate by an input that is not named here.
 */
export function matmul4bitGradient(
  product: Op<Matmul4bitInputs, Matmul4bitAttributes>,
): OpGradient<Matmul4bitInputs, Matmul4bitAttributes> {
  return {
    saves: { inputs: WEIGHT_INPUTS },
    backward: ({ dy, inputs, attributes }) => ({
      x: () => product({ ...inputs, x: dy, bias: undefined }, { ...attributes, transposed: !attributes.transposed }),
      bias: () => sum(dy, 0),
    }),
  };
}
