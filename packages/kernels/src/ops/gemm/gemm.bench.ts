// Products of a training step: LoRA's and the head's, whose factors are float32.
// usage: npx tsx --conditions=@qlora-js/source packages/kernels/src/ops/gemm/gemm.bench.ts [webgpu|wasm|cpu]
import { matMul, tensor2d } from '@tensorflow/tfjs-core';
import { openForBench, printRate, timeOp } from '../../../../../tools/bench/time-op';
import { gemm } from '.';

/** [M, N, K, a transposed, b transposed]: forward and backward of rank 16 on the small base and GPT-2 medium. */
const SHAPES = [
  [384, 256, 256, false, true],
  [384, 16, 256, false, true],
  [384, 768, 16, false, true],
  [16, 256, 384, true, false],
  [384, 16, 1024, false, true],
  [384, 3072, 16, false, true],
  [16, 1024, 384, true, false],
  [1024, 1024, 1024, false, false],
] as const;

const filled = (rows: number, columns: number) =>
  tensor2d(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i)),
    [rows, columns],
  );

const device = await openForBench();
for (const [M, N, K, transposeA, transposeB] of SHAPES) {
  const a = transposeA ? filled(K, M) : filled(M, K);
  const b = transposeB ? filled(N, K) : filled(K, N);
  const ours = await timeOp(device, () => gemm(a, b, { transposeA, transposeB }));
  const theirs = await timeOp(device, () => matMul(a, b, transposeA, transposeB));
  const rate = (ms: number) => `${((2e-6 * M * N * K) / ms).toFixed(1)} GFLOP/s`;
  const name = `gemm ${M}x${N}x${K}${transposeA ? ' aᵀ' : ''}${transposeB ? ' bᵀ' : ''}`;
  printRate(name, ours, `${rate(ours)}   tfjs ${rate(theirs)}`);
  a.dispose();
  b.dispose();
}
device.dispose();
