import type { OpDefinition } from '../../engine/op';
import { type GemmInputs } from './types';
import { gemmSizes, type GemmAttributes } from '../../products/types';

export const wasmGemm: NonNullable<OpDefinition<GemmInputs, GemmAttributes>['wasm']> = (
  { a, b, bias },
  attributes,
  wasm,
) => {
  const { M, N, K } = gemmSizes(a.shape, b.shape, attributes);
  const transposeA = Number(attributes.transposeA);
  const transposeB = Number(attributes.transposeB);
  const scratch = wasm.kernels.scratch(wasm.kernels.gemmScratchBytes(transposeA));
  const c = wasm.output([M, N]);
  wasm.kernels.gemm(
    transposeA,
    transposeB,
    M,
    N,
    K,
    attributes.alpha,
    wasm.pointer(a),
    a.shape[1] ?? 0,
    wasm.pointer(b),
    b.shape[1] ?? 0,
    0,
    wasm.pointer(c),
    N,
    wasm.pointer(bias),
    scratch,
  );
  return [c];
};
