// Dropout and dropout with a residual at GPT-2 medium's width, beside tfjs' dropout.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/dropout/dropout.bench.ts [webgpu|wasm|cpu]
import { dropout as tfjsDropout, randomNormal } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { randomState } from '../../random/dropout-stream';
import { dropout, dropoutAdd } from '.';

/** 16 x 24, 16 x 128 and 64 x 128 tokens. */
const ROWS = [384, 2048, 8192];
const COLUMNS = 1024;

const device = await openForBench();
for (const rows of ROWS) {
  const options = { rate: 0.1, site: 1, random: randomState({ seed: 1, step: 0 }, rows) };
  const x = randomNormal([rows, COLUMNS]);
  const residual = randomNormal([rows, COLUMNS]);
  const rate = (passes: number, ms: number) => `${((passes * 4 * rows * COLUMNS) / ms / 1e6).toFixed(1)} GB/s`;
  const ms = await timeOp(device, () => dropout(x, options));
  const theirs = await timeOp(device, () => tfjsDropout(x, 0.1));
  printRate(`dropout ${rows}x${COLUMNS}`, ms, `${rate(2, ms)}   tfjs ${theirs.toFixed(3)} ms`);
  const addMs = await timeOp(device, () => dropoutAdd(x, residual, options));
  printRate(`dropoutAdd ${rows}x${COLUMNS}`, addMs, rate(3, addMs));
  x.dispose();
  residual.dispose();
}
device.dispose();
