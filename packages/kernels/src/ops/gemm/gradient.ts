import { sum, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import type { OpGradient } from '../../engine/op';
import type { GemmInputs, GemmOptions } from './types';
import type { GemmAttributes } from '../../products/types';

type Gemm = (a: Tensor2D, b: Tensor2D, options: GemmOptions) => Tensor2D;

/** C = alpha·op(A)·op(B) + bias gives dop(A) = alpha·dC·op(B)ᵀ, dop(B) = alpha·op(A)ᵀ·dC and the column sums of dC. */
export function gemmGradient(gemm: Gemm): OpGradient<GemmInputs, GemmAttributes> {
  return {
    saves: { inputs: ['a', 'b'] },
    backward: (pass) => {
      const { transposeA, transposeB, alpha } = pass.attributes;
      const dy = pass.dy as Tensor2D;
      const { a, b } = pass.inputs as GemmInputs & Record<'a' | 'b', Tensor2D>;
      return {
        a: (): Tensor =>
          transposeA
            ? gemm(b, dy, { transposeA: transposeB, transposeB: true, alpha })
            : gemm(dy, b, { transposeB: !transposeB, alpha }),
        b: (): Tensor =>
          transposeB
            ? gemm(dy, a, { transposeA: true, transposeB: transposeA, alpha })
            : gemm(a, dy, { transposeA: !transposeA, alpha }),
        bias: (): Tensor => sum(dy, 0),
      };
    },
  };
}
