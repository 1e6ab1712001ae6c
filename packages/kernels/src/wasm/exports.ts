/**
 * A byte offset in the memory of tfjs-backend-wasm. Offsets stay valid when that memory grows; typed arrays over it
 * do not.
 */
export type Pointer = number;

/** First argument of `activation` and `activationBackward`. */
export const WASM_ACTIVATION = { geluNew: 0, geluErf: 1, relu: 2, silu: 3, tanh: 4, quickGelu: 5 } as const;

/**
 * What the WebAssembly module exports. Numbers are float32 and row-major unless said; what each one computes, its
 * source and what may lie in the same place stand above the functions in packages/kernels/assembly. Nothing is written
 * but the outputs and the scratch, and no argument is checked: the ops do that. A pointer 0 stands for an absent
 * optional input.
 */
export interface WasmKernelExports {
  /** C[M,N] = alpha·op(A)·op(B) + beta·C + bias[N]. `lda`, `ldb`, `ldc` count floats from one stored row to the next. */
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

  /** C[M,N] = A[M,K]·Wᵀ + bias[N]; transposed: C[M,K] = A[M,N]·W + bias[K]. W[N,K] in 4 bits, absmax in float32. */
  gemm4bit(
    transposed: number,
    M: number,
    N: number,
    K: number,
    a: Pointer,
    packed: Pointer,
    absmax: Pointer,
    code: Pointer,
    blocksize: number,
    bias: Pointer,
    c: Pointer,
    scratch: Pointer,
  ): void;
  gemm4bitScratchBytes(): number;
  dequantize4bit(packed: Pointer, n: number, absmax: Pointer, code: Pointer, blocksize: number, out: Pointer): void;

  layerNorm(
    x: Pointer,
    gamma: Pointer,
    beta: Pointer,
    rows: number,
    cols: number,
    eps: number,
    y: Pointer,
    mean: Pointer,
    rstd: Pointer,
  ): void;
  layerNormBackward(
    dy: Pointer,
    x: Pointer,
    gamma: Pointer,
    mean: Pointer,
    rstd: Pointer,
    rows: number,
    cols: number,
    dx: Pointer,
  ): void;
  layerNormParamGradients(
    dy: Pointer,
    x: Pointer,
    mean: Pointer,
    rstd: Pointer,
    rows: number,
    cols: number,
    dgamma: Pointer,
    dbeta: Pointer,
  ): void;

  geluNew(x: Pointer, n: number, y: Pointer): void;
  geluNewBackward(dy: Pointer, x: Pointer, n: number, dx: Pointer): void;
  /** `kind` out of WASM_ACTIVATION. */
  activation(kind: number, x: Pointer, n: number, y: Pointer): void;
  activationBackward(kind: number, dy: Pointer, x: Pointer, n: number, dx: Pointer): void;

  /** `threshold` is unsigned; backward is dropout of dy with the same numbers. */
  dropout(
    x: Pointer,
    n: number,
    threshold: number,
    scale: number,
    key0: number,
    key1: number,
    counter1: number,
    counter2: number,
    counter3: number,
    y: Pointer,
  ): void;
  /** y = residual + dropout(x). */
  dropoutAdd(
    x: Pointer,
    residual: Pointer,
    n: number,
    threshold: number,
    scale: number,
    key0: number,
    key1: number,
    counter1: number,
    counter2: number,
    counter3: number,
    y: Pointer,
  ): void;

  /** `sequences` is int32 [numSequences, 4] = (rowStart, rowCount, keyStart, keyEnd). */
  attention(
    qkv: Pointer,
    rows: number,
    sequences: Pointer,
    numSequences: number,
    heads: number,
    headDim: number,
    scale: number,
    threshold: number,
    keepScale: number,
    key0: number,
    key1: number,
    counter1: number,
    counter2: number,
    counter3: number,
    keyStride: number,
    out: Pointer,
    lse: Pointer,
    scratch: Pointer,
  ): void;
  /** `longest` is the largest rowCount. */
  attentionScratchBytes(longest: number, headDim: number): number;
  attentionBackward(
    dout: Pointer,
    qkv: Pointer,
    out: Pointer,
    lse: Pointer,
    rows: number,
    sequences: Pointer,
    numSequences: number,
    heads: number,
    headDim: number,
    scale: number,
    threshold: number,
    keepScale: number,
    key0: number,
    key1: number,
    counter1: number,
    counter2: number,
    counter3: number,
    keyStride: number,
    dqkv: Pointer,
    scratch: Pointer,
  ): void;
  attentionBackwardScratchBytes(longest: number, headDim: number): number;

  add(a: Pointer, b: Pointer, n: number, y: Pointer): void;
  /** y += alpha·x */
  axpy(alpha: number, x: Pointer, n: number, y: Pointer): void;
  scaleInPlace(x: Pointer, n: number, alpha: number): void;
  /** Summed in float64. */
  sumSquares(x: Pointer, n: number): number;
  /** 1 or 0. */
  hasNonFinite(x: Pointer, n: number): number;

  /** A label (int32) outside the classes makes a loss of 0. */
  softmaxCrossEntropy(
    logits: Pointer,
    labels: Pointer,
    rows: number,
    classes: number,
    lossRows: Pointer,
    probs: Pointer,
  ): void;
  softmaxCrossEntropyBackward(
    probs: Pointer,
    labels: Pointer,
    dlossRows: Pointer,
    rows: number,
    classes: number,
    dlogits: Pointer,
  ): void;

  /** bc1 = 1 - b1^t, bc2 = 1 - b2^t. */
  adamw32(
    p: Pointer,
    g: Pointer,
    m: Pointer,
    v: Pointer,
    n: number,
    lr: number,
    b1: number,
    b2: number,
    eps: number,
    wd: number,
    bc1: number,
    bc2: number,
    gradScale: number,
  ): void;
  /** Blocks of 256; `bounds` and `grid` as in quantizeBlockwise. */
  adamw8bit(
    p: Pointer,
    g: Pointer,
    state1: Pointer,
    state2: Pointer,
    absmax1: Pointer,
    absmax2: Pointer,
    code1: Pointer,
    code2: Pointer,
    bounds1: Pointer,
    bounds2: Pointer,
    grid: number,
    n: number,
    lr: number,
    b1: number,
    b2: number,
    eps: number,
    wd: number,
    bc1: number,
    bc2: number,
    gradScale: number,
    scratch: Pointer,
  ): void;
  adamw8bitScratchBytes(): number;
  /** bounds[255] ascend; `grid` 1 rounds to bitsandbytes' CPU grid first and takes bounds on its steps. */
  quantizeBlockwise(
    x: Pointer,
    n: number,
    blocksize: number,
    bounds: Pointer,
    grid: number,
    quantized: Pointer,
    absmax: Pointer,
  ): void;
  dequantizeBlockwise(
    quantized: Pointer,
    n: number,
    code: Pointer,
    blocksize: number,
    absmax: Pointer,
    out: Pointer,
  ): void;
}
