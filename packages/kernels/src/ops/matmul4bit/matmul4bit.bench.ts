// Products with a 4-bit weight, forward and input gradient, at the shapes of the small base and of GPT-2 medium.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/matmul4bit/matmul4bit.bench.ts [webgpu|wasm|cpu]
import { matMul, tensor1d, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { createDynamicMap } from '../../formats/dynamic-map';
import { codeTable } from '../../formats/codes';
import { bytesToInt32, quantizeBlockwiseArray } from '../blockwise8bit';
import { dequantize4bit, type QuantizedTensor, type QuantState } from '../dequantize4bit';
import { quantize4bitArray } from '../quantize4bit';
import { matmul4bit } from '.';

/** [rows, N, K] */
const SHAPES = [
  [384, 768, 256],
  [384, 1024, 256],
  [384, 256, 1024],
  [384, 3072, 1024],
  [384, 1024, 4096],
  [2048, 4096, 1024],
] as const;

const waves = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7));

function makeWeight(N: number, K: number): QuantizedTensor {
  const { packed, absmax } = quantize4bitArray(waves(N * K), { quantType: 'nf4', blocksize: 64 });
  const code = createDynamicMap({ signed: true });
  const nested = quantizeBlockwiseArray(
    absmax.map((value) => value - 0.5),
    { code, blocksize: 256, nearest: 'grid' },
  );
  const state: QuantState = {
    absmax: tensor1d(bytesToInt32(nested.quantized), 'int32'),
    code: tensor1d(codeTable('nf4')),
    shape: [N, K],
    blocksize: 64,
    quantType: 'nf4',
    offset: tensor1d([0.5]),
    state2: { absmax: tensor1d(nested.absmax), code: tensor1d(code), blocksize: 256 },
  };
  return { packed: tensor1d(bytesToInt32(packed), 'int32'), state };
}

const device = await openForBench();
for (const [rows, N, K] of SHAPES) {
  if (device.info.software && rows * N * K > 2e8) continue;
  const weight = makeWeight(N, K);
  const dense = dequantize4bit(weight) as Tensor2D;
  const rate = (ms: number) => `${((2e-9 * rows * N * K) / ms).toFixed(3)} TFLOP/s`;
  for (const transposed of [false, true]) {
    const depth = transposed ? N : K;
    const x = tensor2d(waves(rows * depth), [rows, depth]);
    const ours = await timeOp(device, () => matmul4bit(x, weight, { transposed }));
    const beside = await timeOp(device, () => matMul(x, dense, false, !transposed));
    printRate(
      `matmul4bit ${rows}x${N}x${K}${transposed ? ' transposed' : ''}`,
      ours,
      `${rate(ours)}   tfjs dense ${rate(beside)}`,
    );
    x.dispose();
  }
  const dequantised = await timeOp(device, () => dequantize4bit(weight));
  printRate(`dequantize4bit ${N}x${K}`, dequantised, `${((4e-6 * N * K) / dequantised).toFixed(1)} GB/s written`);
  dense.dispose();
}
device.dispose();
