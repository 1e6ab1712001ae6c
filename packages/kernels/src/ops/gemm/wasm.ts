import type { WasmKernel } from '../../engine/op';
import { type GemmInputs } from './types';
import { gemmSizes, type GemmAttributes } from '../../products/types';

export const wasmGemm: WasmKernel<GemmInputs, GemmAttributes> = ({ a, b, bias }, attributes, wasm) => {
  const { M, N, K } = gemmSizes(a.shape, b.shape, attributes);
  const transposeA = Number(attributes.transposeA);
  const transposeB = Number(attributes.transposeB);
  const scratch = wasm.kernels.scratch(wasm.kernels.gemmScratchBytes(transposeA));
  const c = wasm.output([M, N]);
  wasm.call.gemm({
    transA: transposeA,
    transB: transposeB,
    M,
    N,
    K,
    alpha: attributes.alpha,
    a: wasm.pointer(a),
    lda: a.shape[1] ?? 0,
    b: wasm.pointer(b),
    ldb: b.shape[1] ?? 0,
    beta: 0,
    c: wasm.pointer(c),
    ldc: N,
    bias: wasm.pointer(bias),
    scratch,
  });
  return c;
};
