// Layer normalisation, forward and backward to its input, at GPT-2 medium's width.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/layer-norm/layer-norm.bench.ts [webgpu|wasm|cpu]
import { grad, randomNormal, tensor1d, type Tensor2D } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { layerNorm } from '.';

/** 16 x 24, 16 x 128 and 64 x 128 tokens. */
const ROWS = [384, 2048, 8192];
const COLUMNS = 1024;

const device = await openForBench();
const gamma = tensor1d(new Float32Array(COLUMNS).fill(1));
const beta = tensor1d(new Float32Array(COLUMNS));
const backward = grad((x) => layerNorm(x as Tensor2D, gamma, beta));
for (const rows of ROWS) {
  const x: Tensor2D = randomNormal([rows, COLUMNS]);
  const dy = randomNormal([rows, COLUMNS]);
  const forwardMs = await timeOp(device, () => layerNorm(x, gamma, beta));
  const bothMs = await timeOp(device, () => backward(x, dy));
  // x in, y out; then dy and x in, dx out.
  const rate = (passes: number, ms: number) => `${((passes * 4 * rows * COLUMNS) / ms / 1e6).toFixed(1)} GB/s`;
  printRate(`layerNorm ${rows}x${COLUMNS}`, forwardMs, rate(2, forwardMs));
  printRate(`layerNorm ${rows}x${COLUMNS}, forward and backward`, bothMs, rate(5, bothMs));
  x.dispose();
  dy.dispose();
}
device.dispose();
