/**
 * A byte offset in the memory of tfjs-backend-wasm. Offsets stay valid when that memory grows; typed arrays over it
 * do not.
 */
export type Pointer = number;

/** First argument of `activation` and `activationBackward`. */
export const WASM_ACTIVATION = { geluNew: 0, geluErf: 1, relu: 2, silu: 3, tanh: 4, quickGelu: 5 } as const;

/**
 * What the WebAssembly module exports: the parameters of each function, by the names they have in
 * packages/kernels/assembly, where what each one computes, its source and what may lie in the same place stand above
 * it. Numbers are float32 and row-major unless said. Nothing is written but the outputs and the scratch, and no argument is
 * checked: the ops do that. A pointer 0 stands for an absent optional input.
 */
export const WASM_PARAMETERS = {
  /** C[M,N] = alpha·op(A)·op(B) + beta·C + bias[N]. `lda`, `ldb`, `ldc` count floats from one stored row to the next. */
  gemm: ['transA', 'transB', 'M', 'N', 'K', 'alpha', 'a', 'lda', 'b', 'ldb', 'beta', 'c', 'ldc', 'bias', 'scratch'],
  gemmScratchBytes: ['transA'],
  /** C[M,N] = A[M,K]·Wᵀ + bias[N]; transposed: C[M,K] = A[M,N]·W + bias[K]. W[N,K] in 4 bits, absmax in float32. */
  gemm4bit: ['transposed', 'M', 'N', 'K', 'a', 'packed', 'absmax', 'code', 'blocksize', 'bias', 'c', 'scratch'],
  gemm4bitScratchBytes: [],
  dequantize4bit: ['packed', 'n', 'absmax', 'code', 'blocksize', 'out'],
  layerNorm: ['x', 'gamma', 'beta', 'rows', 'cols', 'eps', 'y', 'mean', 'rstd'],
  layerNormBackward: ['dy', 'x', 'gamma', 'mean', 'rstd', 'rows', 'cols', 'dx'],
  layerNormParamGradients: ['dy', 'x', 'mean', 'rstd', 'rows', 'cols', 'dgamma', 'dbeta'],
  rmsNorm: ['x', 'weight', 'rows', 'cols', 'eps', 'y', 'rrms'],
  rmsNormBackward: ['dy', 'x', 'weight', 'rrms', 'rows', 'cols', 'dx'],
  rmsNormWeightGradient: ['dy', 'x', 'rrms', 'rows', 'cols', 'dweight'],
  /** `positions` is int32 [rows], `table` [positions, headDim]. */
  rotary: ['q', 'k', 'v', 'positions', 'table', 'rows', 'heads', 'keyHeads', 'headDim', 'y'],
  rotaryBackward: ['dy', 'positions', 'table', 'rows', 'heads', 'keyHeads', 'headDim', 'dq', 'dk', 'dv'],
  swiglu: ['gate', 'up', 'n', 'y'],
  swigluBackward: ['dy', 'gate', 'up', 'n', 'dgate', 'dup'],
  geluNew: ['x', 'n', 'y'],
  geluNewBackward: ['dy', 'x', 'n', 'dx'],
  /** `kind` out of WASM_ACTIVATION. */
  activation: ['kind', 'x', 'n', 'y'],
  activationBackward: ['kind', 'dy', 'x', 'n', 'dx'],
  /** `threshold` is unsigned; backward is dropout of dy with the same numbers. */
  dropout: ['x', 'rows', 'columns', 'threshold', 'scale', 'key0', 'key1', 'counter1', 'counter2', 'rowNumbers', 'y'],
  /** y = residual + dropout(x). */
  dropoutAdd: [
    'x',
    'residual',
    'rows',
    'columns',
    'threshold',
    'scale',
    'key0',
    'key1',
    'counter1',
    'counter2',
    'rowNumbers',
    'y',
  ],
  /** `sequences` is int32 [numSequences, 4] = (rowStart, rowCount, keyStart, keyEnd). */
  attention: [
    'qkv',
    'rows',
    'sequences',
    'numSequences',
    'heads',
    'keyHeads',
    'headDim',
    'scale',
    'threshold',
    'keepScale',
    'key0',
    'key1',
    'counter1',
    'counter2',
    'rowNumbers',
    'keyStride',
    'out',
    'lse',
    'scratch',
  ],
  /** `longest` is the largest rowCount. */
  attentionScratchBytes: ['longest', 'headDim'],
  attentionBackward: [
    'dout',
    'qkv',
    'out',
    'lse',
    'rows',
    'sequences',
    'numSequences',
    'heads',
    'keyHeads',
    'headDim',
    'scale',
    'threshold',
    'keepScale',
    'key0',
    'key1',
    'counter1',
    'counter2',
    'rowNumbers',
    'keyStride',
    'dqkv',
    'scratch',
  ],
  attentionBackwardScratchBytes: ['longest', 'headDim'],
  add: ['a', 'b', 'n', 'y'],
  /** y += alpha·x */
  axpy: ['alpha', 'x', 'n', 'y'],
  scaleInPlace: ['x', 'n', 'alpha'],
  /** Summed in float64. */
  sumSquares: ['x', 'n'],
  /** 1 or 0. */
  hasNonFinite: ['x', 'n'],
  /** A label (int32) outside the classes makes a loss of 0. */
  softmaxCrossEntropy: ['logits', 'labels', 'rows', 'classes', 'lossRows', 'probs'],
  softmaxCrossEntropyBackward: ['probs', 'labels', 'dlossRows', 'rows', 'classes', 'dlogits'],
  /** bc1 = 1 - b1^t, bc2 = 1 - b2^t. */
  adamw32: ['p', 'g', 'm', 'v', 'n', 'lr', 'b1', 'b2', 'eps', 'wd', 'bc1', 'bc2', 'gradScale'],
  /** Blocks of 256; `bounds` and `grid` as in quantizeBlockwise. */
  adamw8bit: [
    'p',
    'g',
    'state1',
    'state2',
    'absmax1',
    'absmax2',
    'code1',
    'code2',
    'bounds1',
    'bounds2',
    'grid',
    'n',
    'lr',
    'b1',
    'b2',
    'eps',
    'wd',
    'bc1',
    'bc2',
    'gradScale',
    'scratch',
  ],
  adamw8bitScratchBytes: [],
  /** bounds[255] ascend; `grid` 1 rounds to bitsandbytes' CPU grid first and takes bounds on its steps. */
  quantizeBlockwise: ['x', 'n', 'blocksize', 'bounds', 'grid', 'quantized', 'absmax'],
  dequantizeBlockwise: ['quantized', 'n', 'code', 'blocksize', 'absmax', 'out'],
} as const;

type Parameters = typeof WASM_PARAMETERS;

type NumbersOf<Names extends readonly string[]> = { -readonly [Place in keyof Names]: number };

/** The exports themselves: numbers by place. */
export type WasmKernelExports = {
  readonly [Name in keyof Parameters]: (...numbers: NumbersOf<Parameters[Name]>) => number;
};

/** Calls of the exports: numbers by name. */
export type WasmCalls = {
  readonly [Name in keyof Parameters]: (fields: Readonly<Record<Parameters[Name][number], number>>) => number;
};

/** Puts named numbers into the places that the exports take them in. */
export function callsOf(exports: WasmKernelExports): WasmCalls {
  const byPlace = exports as Readonly<Record<string, (...numbers: number[]) => number>>;
  return Object.fromEntries(
    Object.entries<readonly string[]>(WASM_PARAMETERS).map(([name, parameters]) => [
      name,
      (fields: Readonly<Record<string, number>>) =>
        byPlace[name]!(...parameters.map((parameter) => fields[parameter]!)),
    ]),
  ) as unknown as WasmCalls;
}
