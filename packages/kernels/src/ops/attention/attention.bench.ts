// Attention, forward and backward, at GPT-2 medium's 16 heads of 64, with and without dropout.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/attention/attention.bench.ts [webgpu|wasm|cpu]
import { grad, randomNormal, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { randomState } from '../../random/dropout-stream';
import { DispatchProfile } from '../../webgpu/profile';
import { attention, type AttentionOptions } from '.';

/** [sequences, tokens in each] */
const BATCHES = [
  [16, 24],
  [16, 128],
  [64, 128],
  [4, 1024],
] as const;
const HEADS = 16;
const HEAD_SIZE = 64;
const COLUMNS = HEADS * HEAD_SIZE;
/** Products a causal half of the score matrix takes part in: two forward, five more backward. */
const FORWARD_PRODUCTS = 2;
const ALL_PRODUCTS = 7;

const device = await openForBench();
for (const [count, length] of BATCHES) {
  if (device.backend === 'cpu' && count * length > 384) continue;
  const rows = count * length;
  const random = randomState({ seed: 1, step: 0 }, rows);
  const qkv: Tensor2D = randomNormal([rows, 3 * COLUMNS]);
  const dy = randomNormal([rows, COLUMNS]);
  const layout = Array.from({ length: count }, (_, i) => [i * length, length, 0, length]);
  const sequences = tensor2d(layout, [count, 4], 'int32');
  for (const rate of [0, 0.1]) {
    const options: AttentionOptions = {
      heads: HEADS,
      scale: HEAD_SIZE ** -0.5,
      keyStride: length,
      ...(rate > 0 ? { dropout: { rate, random, site: 1 } } : {}),
    };
    const backward = grad((x) => attention(x as Tensor2D, sequences, options));
    const operations = count * HEADS * length * (length + 1) * HEAD_SIZE;
    const speed = (products: number, ms: number) => `${((products * operations) / ms / 1e6).toFixed(1)} GFLOP/s`;
    const name = `attention ${count}x${length}${rate > 0 ? ', dropout' : ''}`;
    const forwardMs = await timeOp(device, () => attention(qkv, sequences, options));
    printRate(name, forwardMs, speed(FORWARD_PRODUCTS, forwardMs));
    const bothMs = await timeOp(device, () => backward(qkv, dy));
    printRate(`${name}, forward and backward`, bothMs, speed(ALL_PRODUCTS, bothMs));
    if (device.gpuDevice?.features.has('timestamp-query')) {
      const profile = new DispatchProfile(device.gpuDevice);
      backward(qkv, dy).dispose();
      await device.synchronize();
      for (const { label, milliseconds } of await profile.stop()) {
        printRate(`  ${label.replace(/[ ]*\{.*/, '')} on the GPU`, milliseconds, '');
      }
    }
  }
  for (const held of [qkv, dy, sequences]) held.dispose();
}
device.dispose();
