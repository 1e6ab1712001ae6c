// Attention on the GPU at hand against its float64 reference: the software GPU of the tests has no subgroup matrices.
// Writes $OUT/attention-errors.json.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/check-attention.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { grad, mul, sum, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { attention, openDevice, randomState, randomWords } from '@qlora-js/kernels';
import {
  attentionBackwardReference,
  attentionReference,
  type AttentionProblem,
} from '../../packages/kernels/src/ops/attention/reference';
import { hasSubgroupMatrices } from '../../packages/kernels/src/webgpu/capabilities';
import { collectGpuErrors, exitWithGpuErrors, requireSmall } from './gpu-errors';
import { normals } from '../../packages/kernels/src/testing/random-data';

interface Layout {
  readonly name: string;
  readonly heads: number;
  readonly headSize: number;
  readonly rate: number;
  /** rowStart, rowCount, keyStart, keyEnd */
  readonly sequences: readonly number[];
  readonly rows: number;
}

const device = await openDevice({ backend: 'webgpu' });
const gpuErrors = collectGpuErrors(device);
const matrices = hasSubgroupMatrices(device.gpuDevice!);
console.log(device.info.adapter, 'subgroup matrices:', matrices);
const folder = process.env['OUT'] ?? 'bench/results';
mkdirSync(folder, { recursive: true });

/** As small as gradients of a mean loss are. */
const SLOPE = 1e-5;
/** One stride for all, a multiple of four, as the model has it. */
const KEY_STRIDE = 256;

const layouts: Layout[] = [16, 48, 64, 80, 128].flatMap((headSize) =>
  [0, 0.1].map((rate) => ({
    name: `ragged, heads of ${headSize}, dropout ${rate}`,
    heads: 3,
    headSize,
    rate,
    // Rows of no sequence first, between and last; padding on the left; a sequence without keys; one over tile borders.
    sequences: [2, 23, 0, 23, 25, 40, 7, 40, 66, 9, 9, 9, 75, 1, 0, 1, 78, 150, 3, 140],
    rows: 231,
  })),
);

const relative = (found: ArrayLike<number>, expected: ArrayLike<number>): number => {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
};

/** Relative errors: products of float16 factors with float32 sums, or of float32. */
const LARGEST = matrices ? 5e-3 : 1e-4;
const results: Record<string, unknown>[] = [];
for (const { name, heads, headSize, rate, sequences, rows } of layouts) {
  const width = heads * headSize;
  const scale = 1 / Math.sqrt(headSize);
  const position = { seed: 11, step: 2 };
  const qkvValues = normals(1, rows * 3 * width);
  const dyValues = normals(2, rows * width, SLOPE);
  const [qkv, dy] = [tensor2d(qkvValues, [rows, 3 * width]), tensor2d(dyValues, [rows, width])];
  const layout = tensor2d([...sequences], [sequences.length / 4, 4], 'int32');
  const random = randomState(position, rows);
  const dropout = rate === 0 ? {} : { dropout: { rate, site: 5, random } };
  const run = (x: Tensor2D): Tensor2D => attention(x, layout, { heads, scale, keyStride: KEY_STRIDE, ...dropout });
  const y = run(qkv);
  const dqkv = grad((x) => sum(mul(run(x as Tensor2D), dy)))(qkv);
  const problem: AttentionProblem = {
    qkv: qkvValues,
    rows,
    heads,
    headSize,
    scale,
    sequences,
    keyStride: KEY_STRIDE,
    ...(rate === 0 ? {} : { dropout: { rate, site: 5, random: randomWords(position, rows) } }),
  };
  const forward = relative(await y.data(), attentionReference(problem));
  const slopes = await dqkv.data();
  const expected = attentionBackwardReference(problem, dyValues);
  const part = (values: ArrayLike<number>, index: number): number[] =>
    Array.from(values).filter((_, i) => Math.floor((i % (3 * width)) / width) === index);
  const [dq, dk, dv] = [0, 1, 2].map((index) => relative(part(slopes, index), part(expected, index)));
  results.push({ name, forward, dq, dk, dv });
  requireSmall({ forward, dq: dq!, dk: dk!, dv: dv! }, LARGEST);
  console.log(name, [forward, dq, dk, dv].map((error) => error!.toExponential(2)).join('  '));
  for (const held of [qkv, dy, layout, random, y, dqkv]) held.dispose();
}
writeFileSync(
  `${folder}/attention-errors${device.info.software ? '-software' : ''}.json`,
  JSON.stringify({ device: device.info, subgroupMatrices: matrices, results }, undefined, 1),
);
await exitWithGpuErrors(device, gpuErrors);
