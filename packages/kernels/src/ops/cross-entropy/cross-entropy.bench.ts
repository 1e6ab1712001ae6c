// Cross-entropy, forward and backward: a classifier's head and a language model's.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/cross-entropy/cross-entropy.bench.ts [webgpu|wasm|cpu]
import { grad, randomNormal, scalar, tensor1d, type Tensor2D } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { crossEntropy } from '.';

/** [rows, classes]: Banking77 at batches of 16 and 64, GPT-2's vocabulary on 16 x 24 tokens. */
const SHAPES = [
  [16, 77],
  [64, 77],
  [384, 50_257],
] as const;

const device = await openForBench();
for (const [rows, classes] of SHAPES) {
  const logits: Tensor2D = randomNormal([rows, classes]);
  const labels = tensor1d(
    Int32Array.from({ length: rows }, (_, i) => (i * 31) % classes),
    'int32',
  );
  const backward = grad((x) => crossEntropy(x as Tensor2D, labels));
  const slope = scalar(1);
  const forwardMs = await timeOp(device, () => crossEntropy(logits, labels));
  const bothMs = await timeOp(device, () => backward(logits, slope));
  const rate = (passes: number, ms: number) => `${((passes * 4 * rows * classes) / ms / 1e6).toFixed(1)} GB/s`;
  printRate(`crossEntropy ${rows}x${classes}`, forwardMs, rate(2, forwardMs));
  printRate(`crossEntropy ${rows}x${classes}, forward and backward`, bothMs, rate(4, bothMs));
  for (const held of [logits, labels, slope]) held.dispose();
}
device.dispose();
