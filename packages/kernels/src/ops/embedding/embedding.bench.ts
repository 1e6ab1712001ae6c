// Token and position embedding with GPT-2 medium's tables.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/embedding/embedding.bench.ts [webgpu|wasm|cpu]
import { randomNormal, tensor1d, type Tensor2D } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { embedding } from '.';

/** 16 x 24, 16 x 128 and 64 x 128 tokens. */
const ROWS = [384, 2048, 8192];
const COLUMNS = 1024;
const TOKENS = 50_257;
const POSITIONS = 1024;

const device = await openForBench();
const tokenTable: Tensor2D = randomNormal([TOKENS, COLUMNS]);
const positionTable: Tensor2D = randomNormal([POSITIONS, COLUMNS]);
for (const rows of ROWS) {
  const ids = tensor1d(
    Int32Array.from({ length: rows }, (_, i) => (i * 7919) % TOKENS),
    'int32',
  );
  const positions = tensor1d(
    Int32Array.from({ length: rows }, (_, i) => i % 128),
    'int32',
  );
  const ms = await timeOp(device, () => embedding(ids, positions, tokenTable, positionTable));
  printRate(`embedding ${rows}x${COLUMNS}`, ms, `${((3 * 4 * rows * COLUMNS) / ms / 1e6).toFixed(1)} GB/s`);
  ids.dispose();
  positions.dispose();
}
device.dispose();
