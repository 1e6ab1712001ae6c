/**
 * A byte offset in the memory of tfjs-backend-wasm. Offsets stay valid when that memory grows; typed arrays over it
 * do not.
 */
export type Pointer = number;

/**
 * What the WebAssembly module exports. Numbers are float32 and row-major unless said; the shapes, the scratch each one
 * needs and the sources stand above the functions in packages/kernels/assembly. Nothing is written but the outputs and
 * the scratch, and no argument is checked: the ops do that.
 */
export interface WasmKernelExports {
  /** C = alpha·op(A)·op(B) + beta·C + bias; scratch of gemmScratchBytes(transA). */
  gemm(
    transA: number,
    transB: number,
    M: number,
    N: number,
    K: number,
    alpha: number,
    a: Pointer,
    lda: number,
    b: Pointer,
    ldb: number,
    beta: number,
    c: Pointer,
    ldc: number,
    bias: Pointer,
    scratch: Pointer,
  ): void;
  gemmScratchBytes(transA: number): number;
}
