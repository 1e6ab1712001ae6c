// Activations, forward and backward, at the width of GPT-2 medium's MLP.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/activation/activation.bench.ts [webgpu|wasm|cpu]
import { grad, randomNormal } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { activation, type ActivationName } from '.';

/** 16 x 24, 16 x 128 and 64 x 128 tokens. */
const ROWS = [384, 2048, 8192];
const COLUMNS = 4096;
const NAMES: ActivationName[] = ['gelu_new', 'gelu', 'relu'];

const device = await openForBench();
for (const rows of ROWS) {
  const x = randomNormal([rows, COLUMNS]);
  const dy = randomNormal([rows, COLUMNS]);
  for (const name of NAMES) {
    const backward = grad((input) => activation(input, name));
    const forwardMs = await timeOp(device, () => activation(x, name));
    const bothMs = await timeOp(device, () => backward(x, dy));
    const rate = (passes: number, ms: number) => `${((passes * 4 * rows * COLUMNS) / ms / 1e6).toFixed(1)} GB/s`;
    printRate(`${name} ${rows}x${COLUMNS}`, forwardMs, rate(2, forwardMs));
    printRate(`${name} ${rows}x${COLUMNS}, forward and backward`, bothMs, rate(5, bothMs));
  }
  x.dispose();
  dy.dispose();
}
device.dispose();
