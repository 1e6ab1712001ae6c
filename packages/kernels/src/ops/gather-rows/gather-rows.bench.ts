// Picking the pooled rows and giving them their gradient back, at GPT-2 medium's width.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/gather-rows/gather-rows.bench.ts [webgpu|wasm|cpu]
import { grad, randomNormal, tensor1d, type Tensor2D } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { gatherRows } from '.';

/** [sequences, tokens in each] */
const BATCHES = [
  [16, 24],
  [16, 128],
  [64, 128],
] as const;
const COLUMNS = 1024;

const device = await openForBench();
for (const [count, length] of BATCHES) {
  const x: Tensor2D = randomNormal([count * length, COLUMNS]);
  const dy = randomNormal([count, COLUMNS]);
  const rows = tensor1d(
    Int32Array.from({ length: count }, (_, i) => (i + 1) * length - 1),
    'int32',
  );
  const backward = grad((input) => gatherRows(input as Tensor2D, rows));
  const forwardMs = await timeOp(device, () => gatherRows(x, rows));
  const bothMs = await timeOp(device, () => backward(x, dy));
  const written = ((4 * count * length * COLUMNS) / bothMs / 1e6).toFixed(1);
  printRate(`gatherRows ${count} of ${count * length}x${COLUMNS}`, forwardMs, '');
  printRate(`gatherRows ${count} of ${count * length}x${COLUMNS}, with backward`, bothMs, `${written} GB/s written`);
  for (const held of [x, dy, rows]) held.dispose();
}
device.dispose();
