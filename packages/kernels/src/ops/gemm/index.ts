import type { Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { composeGemm } from './compose';
import { gemmGradient } from './gradient';
import type { GemmInputs, GemmOptions } from './types';
import type { GemmAttributes } from '../../products/types';
import { wasmGemm } from './wasm';
import { webgpuGemm } from './webgpu';

export type { GemmOptions } from './types';

const run = defineOp<GemmInputs, GemmAttributes>({
  name: 'QGemm',
  compose: composeGemm,
  wasm: wasmGemm,
  webgpu: webgpuGemm,
  gradient: gemmGradient(gemm),
});

/**
 * alpha·op(a)·op(b) + bias, op being the transpose where asked for; BLAS' gemm with a bias for its C.
 *
 * @param a [M, K] float32, or [K, M] with transposeA
 * @param b [K, N] float32, or [N, K] with transposeB
 * @returns [M, N]
 */
export function gemm(a: Tensor2D, b: Tensor2D, options: GemmOptions = {}): Tensor2D {
  const { transposeA = false, transposeB = false, alpha = 1, bias } = options;
  checkTensor('gemm', 'a', a, 2, 'float32');
  checkTensor('gemm', 'b', b, 2, 'float32');
  const K = a.shape[transposeA ? 0 : 1];
  if (b.shape[transposeB ? 1 : 0] !== K) {
    const [shapeA, shapeB] = [a, b].map(({ shape }) => `[${shape.join(', ')}]`);
    throw new KernelError(
      'BAD_SHAPE',
      `gemm: a ${shapeA}${transposeA ? ' transposed' : ''} and b ${shapeB}${transposeB ? ' transposed' : ''} ` +
        'do not share their inner dimension',
    );
  }
  if (bias !== undefined) checkShape('gemm', 'bias', bias, [b.shape[transposeB ? 0 : 1]]);
  return run({ a, b, bias }, { transposeA, transposeB, alpha }) as Tensor2D;
}
