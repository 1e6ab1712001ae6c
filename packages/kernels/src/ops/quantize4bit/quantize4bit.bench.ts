// Quantising weights on the host, as loading does it tensor by tensor, and on the device.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/quantize4bit/quantize4bit.bench.ts [webgpu|wasm|cpu]
import { tensor1d } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { QUANT_TYPES } from '../../formats/codes';
import { quantize4bit, quantize4bitArray } from '.';

/** The largest weight of GPT-2 medium. */
const SIZE = 1024 * 4096;
/** All its 4-bit weights. */
const GPT2_MEDIUM = 24 * 12 * 1024 ** 2;

const values = Float32Array.from({ length: SIZE }, () => Math.random() + Math.random() + Math.random() - 1.5);
const device = await openForBench();
const x = tensor1d(values);
for (const quantType of QUANT_TYPES) {
  let best = Infinity;
  for (let run = 0; run < 20; run++) {
    const start = performance.now();
    quantize4bitArray(values, { quantType, blocksize: 64 });
    best = Math.min(best, performance.now() - start);
  }
  const all = ((best / SIZE) * GPT2_MEDIUM) / 1000;
  printRate(
    `quantize4bitArray ${quantType}`,
    best,
    `${((best * 1e6) / SIZE).toFixed(2)} ns a weight, GPT-2 medium in ${all.toFixed(2)} s`,
  );
  const onDevice = await timeOp(device, () => {
    const { packed, absmax } = quantize4bit(x, { quantType });
    return [packed, absmax];
  });
  printRate(`quantize4bit ${quantType}`, onDevice, `${((4e-6 * SIZE) / onDevice).toFixed(1)} GB/s read`);
}
device.dispose();
