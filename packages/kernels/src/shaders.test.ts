import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  grads,
  tensor,
  tensor1d,
  tensor2d,
  variable,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import {
  activation,
  adamw8bitMaps,
  adamw8bitState,
  adamw8bitSteps,
  adamwStep,
  addConfusion,
  attention,
  clipControl,
  confusionSize,
  createDynamicMap,
  crossEntropy,
  dequantize4bit,
  dequantizeBlockwise,
  dropout,
  dropoutAdd,
  embedding,
  gatherRows,
  gemm,
  layerNorm,
  layerNormBranch,
  loraMatmul4bit,
  matmul4bit,
  packHalf,
  rmsNorm,
  rmsNormBranch,
  rotaryQkv,
  swiglu,
  tokenEmbedding,
  quantize4bit,
  quantizeBlockwise,
  stepValues,
  sumOfSquares,
  unpackHalf,
  updateLossScale,
  type Device,
} from '.';
import { openPaperDevice } from './testing/paper-gpu';
import { randomWeight } from './testing/random-weight';

// Every kernel's text as WebGPU is given it, in files that a review sees. A GPU on paper takes them where there is none.

const SNAPSHOTS = join(import.meta.dirname, '__snapshots__/shaders');

const float = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
const matrix = (rows: number, columns: number): Tensor2D => float(rows, columns) as Tensor2D;
const vector = (size: number): Tensor1D => float(size) as Tensor1D;
const ints = (...values: number[]): Tensor1D => tensor1d(values, 'int32');
const held = (value: Tensor) => variable(value, false);
const random = (rows: number): Tensor1D => tensor1d(new Int32Array(4 + rows), 'int32');
/** A function's kernels, forward and backward by all of its inputs. */
const both = (run: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): void => {
  const results = grads(run)(inputs, run(...inputs));
  expect(results).toHaveLength(inputs.length);
};

function normsAndElements(): void {
  for (const width of [32, 7])
    both(
      (x, g, b) => layerNorm(x as Tensor2D, g as Tensor1D, b as Tensor1D),
      matrix(3, width),
      vector(width),
      vector(width),
    );
  both(
    (x) => {
      const { normalised, residual } = branch(x as Tensor2D);
      return gemm(normalised, residual, { transposeB: true });
    },
    matrix(3, 32),
  );
  for (const width of [32, 7]) both((x, w) => rmsNorm(x as Tensor2D, w as Tensor1D), matrix(3, width), vector(width));
  both(
    (x) => {
      const [normalised, residual] = rmsNormBranch(x as Tensor2D, vector(32));
      return gemm(normalised, residual, { transposeB: true });
    },
    matrix(3, 32),
  );
  for (const size of [16, 7]) both((gate, up) => swiglu(gate, up), vector(size), vector(size));
  for (const headSize of [8, 6])
    both(
      (q, k, v) =>
        rotaryQkv(q as Tensor2D, k as Tensor2D, v as Tensor2D, {
          heads: 2,
          keyValueHeads: 1,
          positions: ints(0, 1, 2),
          table: matrix(3, headSize),
        }),
      matrix(3, 2 * headSize),
      matrix(3, headSize),
      matrix(3, headSize),
    );
  for (const size of [16, 7]) both((x) => activation(x, 'gelu_new'), vector(size));
  for (const size of [16, 7]) both((x) => dropout(x, { rate: 0.1, random: random(1), site: 1 }), vector(size));
  both((x, y) => dropoutAdd(x, y, { rate: 0.1, random: random(1), site: 1 }), vector(16), vector(16));
  for (const width of [8, 3]) both((x) => gatherRows(x as Tensor2D, ints(0, 1)), matrix(4, width));
  embedding(ints(0, 1), ints(0, 1), matrix(4, 8), matrix(4, 8));
  embedding(ints(0, 1), ints(0, 1), tensor2d(new Int32Array(8), [2, 4], 'int32'), matrix(4, 8));
  tokenEmbedding(ints(0, 1), matrix(4, 8));
  tokenEmbedding(ints(0, 1), tensor2d(new Int32Array(8), [2, 4], 'int32'));
  both((x) => crossEntropy(x as Tensor2D, ints(0, 1)), matrix(2, 5));
  for (const size of [16, 7]) unpackHalf(packHalf(vector(size)), [size]);
}

function branch(x: Tensor2D): { normalised: Tensor2D; residual: Tensor2D } {
  const [normalised, residual] = layerNormBranch(x, vector(32), vector(32));
  return { normalised: normalised, residual: residual };
}

function products(): void {
  gemm(matrix(64, 32), matrix(32, 64), { bias: vector(64) });
  gemm(matrix(64, 32), matrix(32, 64));
  gemm(matrix(256, 128), matrix(128, 16));
  for (const nested of [false, true]) {
    const { weight } = randomWeight({ N: 128, K: 128, blocksize: 64, quantType: 'nf4', nested });
    for (const rows of [4, 64])
      both((x, b) => matmul4bit(x as Tensor2D, weight, { bias: b as Tensor1D }), matrix(rows, 128), vector(128));
    dequantize4bit(weight);
    // Depths that are no whole wide tiles.
    const { weight: odd } = randomWeight({ N: 72, K: 72, blocksize: 64, quantType: 'nf4', nested });
    both((x, b) => matmul4bit(x as Tensor2D, odd, { bias: b as Tensor1D }), matrix(64, 72), vector(72));
  }
  const { weight } = randomWeight({ N: 128, K: 128, blocksize: 64, quantType: 'nf4', nested: true });
  const drawn = { rate: 0.1, random: random(64), site: 1 };
  for (const dropped of [true, false]) {
    const extra = dropped ? { dropout: drawn } : {};
    both(
      (x, a, b, r) =>
        loraMatmul4bit(x as Tensor2D, weight, {
          ...(dropped ? {} : { activation: 'gelu_new' as const }),
          bias: vector(128),
          lora: { a: a as Tensor2D, b: b as Tensor2D, scaling: 2, ...extra },
          residual: { tensor: r as Tensor2D, ...extra },
        }),
      matrix(64, 128),
      matrix(8, 128),
      matrix(128, 8),
      matrix(64, 128),
    );
  }
}

function attentions(): void {
  const sequences = tensor2d([0, 20, 0, 20], [1, 4], 'int32');
  for (const [headSize, keyStride, rate] of [
    [16, 32, 0.1],
    [16, 32, 0],
    [7, 21, 0.1],
  ] as const) {
    const drawn = rate === 0 ? {} : { dropout: { rate, random: random(20), site: 1 } };
    const options = { heads: 2, scale: 1, keyStride, ...drawn };
    both((qkv) => attention(qkv as Tensor2D, sequences, options), matrix(20, 6 * headSize));
  }
}

function training(): void {
  const adamw = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
  const control = tensor1d([1, 1]);
  const step = stepValues(tensor1d([0.1]), held(vector(1)), control, adamw);
  stepValues(tensor1d([0.1]), held(vector(1)), undefined, adamw);
  for (const size of [16, 7])
    adamwStep(held(vector(size)), vector(size), { m: held(vector(size)), v: held(vector(size)) }, step, adamw);
  const entry = () => ({
    parameter: held(vector(300)),
    gradient: vector(300),
    state: adamw8bitState(300),
    attributes: adamw,
  });
  for (const arithmetic of ['cuda', 'cpu'] as const)
    adamw8bitSteps([entry(), entry()], adamw8bitMaps(arithmetic), step);
  const squares = sumOfSquares([vector(5), vector(7)]);
  clipControl(squares, { maxNorm: 1, lossScale: tensor1d([2]) });
  clipControl(squares, { maxNorm: Infinity });
  updateLossScale(held(vector(1)), held(vector(2)), control, {
    growthFactor: 2,
    backoffFactor: 0.5,
    growthInterval: 2,
  });
  addConfusion(held(tensor(new Int32Array(confusionSize(3)), [confusionSize(3)], 'int32')), matrix(2, 3), ints(0, 1));
}

function quantising(): void {
  for (const quantType of ['nf4', 'fp4', 'int4'] as const) quantize4bit(vector(128), { quantType });
  const code = createDynamicMap({ signed: true });
  for (const nearest of ['exact', 'grid'] as const) quantizeBlockwise(vector(512), { code, nearest });
  const { quantized, absmax } = quantizeBlockwise(vector(512), { code });
  dequantizeBlockwise({ quantized, absmax, code: tensor1d(code), blocksize: 256, shape: [512] });
}

describe("shaders' text", async () => {
  const shaders = new Map<string, string>();
  let device: Device | undefined;
  for (const matrices of [true, false]) {
    device?.dispose();
    device = await openPaperDevice(matrices, (label, code) => {
      // tfjs' own are not ours to pin.
      if (!label.includes('{')) return;
      expect(shaders.get(label) ?? code, label).toBe(code);
      shaders.set(label, code);
    });
    for (const run of [normsAndElements, products, attentions, training, quantising]) run();
  }
  const fileOf = (label: string): string => {
    const family = label.slice(0, label.indexOf(' {')).replaceAll(/[^\w]+/g, '-');
    return `${family}.${createHash('sha256').update(label).digest('hex').slice(0, 8)}.wgsl`;
  };
  afterAll(() => device?.dispose());

  it.each([...shaders].sort(([a], [b]) => (a < b ? -1 : 1)))('%s', async (label, code) => {
    await expect(`// ${label}\n${code}\n`).toMatchFileSnapshot(join(SNAPSHOTS, fileOf(label)));
  });

  it('has no file of a shader that is gone', () => {
    expect(readdirSync(SNAPSHOTS).sort()).toEqual([...shaders.keys()].map(fileOf).sort());
  });
});
