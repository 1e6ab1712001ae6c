// How fast the WASM kernels are beside the ops of tfjs-backend-wasm itself, on one core: the best of many runs.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/wasm/wasm.bench.ts
import * as tf from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-wasm';
import { codeTable } from '../formats/codes';
import { attachWasmKernels, type WasmKernels } from './attach';
import { WASM_ACTIVATION, type Pointer } from './exports';

const BUDGET_MS = 400;
/** Rows of a step, columns of the model: what the shapes below are made of. */
const [ROWS, COLUMNS, HEADS] = [384, 256, 4];
const ELEMENTS = ROWS * 4 * COLUMNS;

/** Milliseconds of the fastest run within the budget. */
function fastest(run: () => void): number {
  let best = Infinity;
  const end = performance.now() + BUDGET_MS;
  for (let runs = 0; runs < 5 || performance.now() < end; runs++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

function report(name: string, unit: string, ours: number, theirs: number | undefined): void {
  const beside = theirs === undefined ? '' : `   tfjs ${theirs.toFixed(2)}`;
  console.log(`${name.padEnd(44)} ${ours.toFixed(2).padStart(8)} ${unit}${beside}`);
}

/** An op of tfjs, its result thrown away. */
const tfjs = (op: () => tf.Tensor) => fastest(() => op().dispose());

async function main(): Promise<void> {
  await tf.setBackend('wasm');
  const backend = tf.backend() as BackendWasm;
  const kernels = attachWasmKernels(backend);
  console.log(`node ${process.version}, relaxed SIMD ${kernels.relaxedSimd ? 'on' : 'off'}`);
  const at = (tensor: tf.Tensor): Pointer => kernels.pointer(tensor);
  benchGemm(kernels, at);
  benchGemm4bit(kernels, at);
  benchElements(kernels, at);
  benchLayerNorm(kernels, at);
  benchAttention(kernels, at);
  benchAdamW(kernels, at);
}

type At = (tensor: tf.Tensor) => Pointer;

function benchGemm(kernels: WasmKernels, at: At): void {
  const shapes = [
    [384, 256, 1024],
    [384, 1024, 256],
    [384, 768, 256],
    [384, 256, 256],
    [384, 16, 256],
    [384, 256, 16],
    [256, 16, 384],
    [32, 77, 256],
    [1, 256, 256],
  ] as const;
  for (const [M, N, K] of shapes) {
    for (const [transA, transB] of [
      [0, 0],
      [0, 1],
      [1, 0],
    ] as const) {
      const a = tf.randomNormal(transA ? [K, M] : [M, K]);
      const b = tf.randomNormal(transB ? [N, K] : [K, N]);
      const c = tf.zeros([M, N]);
      const scratch = kernels.scratch(kernels.gemmScratchBytes(transA));
      const ours = fastest(() => {
        kernels.gemm(transA, transB, M, N, K, 1, at(a), a.shape[1]!, at(b), b.shape[1]!, 0, at(c), N, 0, scratch);
      });
      const theirs = tfjs(() => tf.matMul(a, b, transA === 1, transB === 1));
      const rate = (ms: number) => (2 * M * N * K) / ms / 1e6;
      report(`gemm ${M}x${N}x${K}${transA ? ' Aᵀ' : ''}${transB ? ' Bᵀ' : ''}`, 'GFLOP/s', rate(ours), rate(theirs));
      tf.dispose([a, b, c]);
    }
  }
}

function benchGemm4bit(kernels: WasmKernels, at: At): void {
  const code = tf.tensor1d(codeTable('nf4'));
  const shapes = [
    [384, 256, 1024],
    [384, 1024, 256],
    [384, 768, 256],
    [16, 256, 256],
  ] as const;
  for (const [M, N, K] of shapes) {
    const packed = tf.randomUniform([(N * K) / 8], -(2 ** 31), 2 ** 31, 'int32');
    const absmax = tf.randomUniform([(N * K) / 64]);
    const scratch = kernels.scratch(kernels.gemm4bitScratchBytes());
    for (const transposed of [0, 1]) {
      const a = tf.randomNormal([M, transposed ? N : K]);
      const c = tf.zeros([M, transposed ? K : N]);
      const ms = fastest(() => {
        kernels.gemm4bit(transposed, M, N, K, at(a), at(packed), at(absmax), at(code), 64, 0, at(c), scratch);
      });
      report(
        `gemm4bit ${M}x${N}x${K}${transposed ? ' by W' : ' by Wᵀ'}`,
        'GFLOP/s',
        (2 * M * N * K) / ms / 1e6,
        undefined,
      );
      tf.dispose([a, c]);
    }
    tf.dispose([packed, absmax]);
  }
  code.dispose();
}

function benchElements(kernels: WasmKernels, at: At): void {
  const n = ELEMENTS;
  const [x, dy, y] = [tf.randomNormal([n]), tf.randomNormal([n]), tf.zeros([n])];
  const perElement = (ms: number) => (ms * 1e6) / n;
  const compare = (name: string, ours: () => void, theirs?: () => tf.Tensor) => {
    report(name, 'ns/element', perElement(fastest(ours)), theirs && perElement(tfjs(theirs)));
  };
  const gelu = () =>
    tf.tidy(() => {
      const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    });
  const theirs: Partial<Record<keyof typeof WASM_ACTIVATION, () => tf.Tensor>> = {
    geluNew: gelu,
    relu: () => tf.relu(x),
    tanh: () => tf.tanh(x),
    silu: () => tf.tidy(() => tf.mul(x, tf.sigmoid(x))),
  };
  for (const [name, kind] of Object.entries(WASM_ACTIVATION)) {
    compare(name, () => kernels.activation(kind, at(x), n, at(y)), theirs[name as keyof typeof WASM_ACTIVATION]);
    compare(`${name} backward`, () => kernels.activationBackward(kind, at(dy), at(x), n, at(y)));
  }
  const tenth = Math.floor(0.1 * 2 ** 32);
  compare(
    'dropout',
    () => kernels.dropout(at(x), 1, n, tenth, 1 / 0.9, 1, 2, 3, 4, at(y), at(y)),
    () => tf.dropout(x, 0.1),
  );
  compare('dropoutAdd', () => kernels.dropoutAdd(at(x), at(dy), 1, n, tenth, 1 / 0.9, 1, 2, 3, 4, at(y), at(y)));
  compare(
    'add',
    () => kernels.add(at(x), at(dy), n, at(y)),
    () => tf.add(x, dy),
  );
  compare(
    'sumSquares',
    () => void kernels.sumSquares(at(x), n),
    () => tf.tidy(() => tf.sum(tf.square(x))),
  );
  compare('hasNonFinite', () => void kernels.hasNonFinite(at(x), n));
  const rows = Math.floor(n / 77);
  const [labels, losses] = [tf.zeros([rows], 'int32'), tf.zeros([rows])];
  const logits = tf.randomNormal([rows, 77]);
  compare(
    'softmaxCrossEntropy, 77 classes',
    () => kernels.softmaxCrossEntropy(at(logits), at(labels), rows, 77, at(losses), at(y)),
    () => tf.softmax(logits),
  );
  tf.dispose([x, dy, y, labels, losses, logits]);
}

function benchLayerNorm(kernels: WasmKernels, at: At): void {
  const rows = 4 * ROWS;
  const [x, dy, y] = [tf.randomNormal([rows, COLUMNS]), tf.randomNormal([rows, COLUMNS]), tf.zeros([rows, COLUMNS])];
  const [gamma, beta, dgamma, dbeta] = [tf.ones([COLUMNS]), tf.ones([COLUMNS]), tf.ones([COLUMNS]), tf.ones([COLUMNS])];
  const [mean, rstd] = [tf.zeros([rows]), tf.ones([rows])];
  const perElement = (ms: number) => (ms * 1e6) / (rows * COLUMNS);
  const forward = () => kernels.layerNorm(at(x), at(gamma), at(beta), rows, COLUMNS, 1e-5, at(y), at(mean), at(rstd));
  const composed = () =>
    tf.tidy(() => {
      const { mean: centre, variance } = tf.moments(x, 1, true);
      return tf.add(tf.mul(tf.mul(tf.sub(x, centre), tf.rsqrt(tf.add(variance, 1e-5))), gamma), beta);
    });
  report('layerNorm, 256 columns', 'ns/element', perElement(fastest(forward)), perElement(tfjs(composed)));
  const backward = () => kernels.layerNormBackward(at(dy), at(x), at(gamma), at(mean), at(rstd), rows, COLUMNS, at(y));
  report('layerNormBackward', 'ns/element', perElement(fastest(backward)), undefined);
  const parameters = () =>
    kernels.layerNormParamGradients(at(dy), at(x), at(mean), at(rstd), rows, COLUMNS, at(dgamma), at(dbeta));
  report('layerNormParamGradients', 'ns/element', perElement(fastest(parameters)), undefined);
  tf.dispose([x, dy, y, gamma, beta, dgamma, dbeta, mean, rstd]);
}

function benchAttention(kernels: WasmKernels, at: At): void {
  const headDim = COLUMNS / HEADS;
  for (const [count, length] of [
    [24, 16],
    [8, 48],
    [3, 128],
  ] as const) {
    const rows = count * length;
    const qkv = tf.randomNormal([rows, 3 * COLUMNS]);
    const [out, lse, dqkv] = [tf.zeros([rows, COLUMNS]), tf.zeros([rows, HEADS]), tf.zeros([rows, 3 * COLUMNS])];
    const sequences = tf.tensor2d(
      Array.from({ length: count }, (_, s) => [s * length, length, 0, length]),
      [count, 4],
      'int32',
    );
    const shared = [
      at(sequences),
      count,
      HEADS,
      HEADS,
      headDim,
      headDim ** -0.5,
      0.1 * 2 ** 32,
      1 / 0.9,
      1,
      2,
      3,
      4,
      5,
      length,
    ] as const;
    const scratch = kernels.scratch(kernels.attentionBackwardScratchBytes(length, headDim));
    const forward = fastest(() => kernels.attention(at(qkv), rows, ...shared, at(out), at(lse), scratch));
    const backward = fastest(() =>
      kernels.attentionBackward(at(out), at(qkv), at(out), at(lse), rows, ...shared, at(dqkv), scratch),
    );
    const [q, k, v] = tf.split(
      tf.transpose(tf.reshape(qkv, [count, length, 3 * HEADS, headDim]), [0, 2, 1, 3]),
      3,
      1,
    ) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const theirs = tfjs(() =>
      tf.tidy(() => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), headDim ** -0.5)), v)),
    );
    report(`attention ${count}x${length}, dropout`, 'ms', forward, undefined);
    report('  backward', 'ms', backward, undefined);
    report('  tfjs forward, neither causal nor dropout', 'ms', theirs, undefined);
    tf.dispose([qkv, out, lse, dqkv, sequences, q, k, v]);
  }
}

function benchAdamW(kernels: WasmKernels, at: At): void {
  const n = ELEMENTS;
  const [p, g, m, v] = [tf.randomNormal([n]), tf.randomNormal([n]), tf.zeros([n]), tf.zeros([n])];
  const numbers = [1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001, 1] as const;
  const ms32 = fastest(() => kernels.adamw32(at(p), at(g), at(m), at(v), n, ...numbers));
  report('adamw32', 'ns/element', (ms32 * 1e6) / n, undefined);
  const [state1, state2] = [tf.zeros([n / 4], 'int32'), tf.zeros([n / 4], 'int32')];
  const [absmax1, absmax2] = [tf.zeros([n / 256]), tf.zeros([n / 256])];
  const [code, bounds] = [tf.linspace(-1, 1, 256), tf.linspace(-0.996, 0.996, 255)];
  const scratch = kernels.scratch(kernels.adamw8bitScratchBytes());
  const ms8 = fastest(() => {
    kernels.adamw8bit(
      at(p),
      at(g),
      at(state1),
      at(state2),
      at(absmax1),
      at(absmax2),
      at(code),
      at(code),
      at(bounds),
      at(bounds),
      0,
      n,
      ...numbers,
      scratch,
    );
  });
  report('adamw8bit', 'ns/element', (ms8 * 1e6) / n, undefined);
  tf.dispose([p, g, m, v, state1, state2, absmax1, absmax2, code, bounds]);
}

void main();
