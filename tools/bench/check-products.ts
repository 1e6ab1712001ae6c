// Products on the GPU at hand, through the public ops and at the sizes that training uses, against float64 on sampled
// values: the software GPU of the tests has no subgroup matrices. Writes $OUT/product-errors.json.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/check-products.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { grads, mul, sum, tensor1d, tensor2d, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { gemm, matmul4bit, openDevice } from '@qlora-js/kernels';
import { dequantizeArray, loraMatmul4bit, quantizeArray, toDevice, type QuantizedTensor } from '@qlora-js/quant';
import { hasSubgroupMatrices } from '../../packages/kernels/src/webgpu/capabilities';
import { collectGpuErrors, exitWithGpuErrors, requireSmall } from './gpu-errors';

const device = await openDevice({ backend: 'webgpu' });
const gpuErrors = collectGpuErrors(device);
const matrices = hasSubgroupMatrices(device.gpuDevice!);
const { adapterInfo } = device.gpuDevice!;
console.log(
  device.info.adapter,
  'subgroup matrices:',
  matrices,
  adapterInfo.subgroupMinSize,
  adapterInfo.subgroupMaxSize,
);
const folder = process.env['OUT'] ?? 'bench/results';
mkdirSync(folder, { recursive: true });

let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
};
const values = (count: number, scale = 1) => {
  const filled = new Float32Array(count);
  for (let i = 0; i < count; i++) filled[i] = scale * random();
  return filled;
};

/** Relative errors: products of float16 factors with float32 sums, or of float32. */
const LARGEST = matrices ? 2e-3 : 2e-5;
const results: { name: string; error: number }[] = [];
type At = (row: number, column: number) => number;
/** ‖actual - expected‖ / ‖expected‖ over sampled values, the last rows among them; NaN where any value is NaN. */
async function check(name: string, product: Tensor2D, expected: At): Promise<void> {
  const [rows, columns] = product.shape;
  const actual = await product.data();
  product.dispose();
  let [difference, norm] = [0, 0];
  for (let s = 0; s < 256; s++) {
    const row = s < 64 ? Math.max(0, rows - 1 - (s % 20)) : Math.floor(((random() + 1) / 2) * rows) % rows;
    const column = Math.floor(((random() + 1) / 2) * columns) % columns;
    const wanted = expected(row, column);
    difference += (actual[row * columns + column]! - wanted) ** 2;
    norm += wanted ** 2;
  }
  const error = actual.some(Number.isNaN) ? NaN : Math.sqrt(difference / norm);
  results.push({ name, error });
  console.log(name, error.toExponential(2));
}

/** A layer with LoRA, without dropout: the sums by hand would need the mask. */
async function checkLora(
  quantized: QuantizedTensor,
  dense: Float32Array,
  [rows, N, K]: readonly [number, number, number],
): Promise<void> {
  const [rank, scaling] = [16, 2];
  const [xs, as, bs, residuals, dys] = [
    values(rows * K),
    values(rank * K, 0.05),
    values(N * rank, 0.05),
    values(rows * N),
    values(rows * N, 1e-6),
  ] as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  const [x, a, b] = [tensor2d(xs, [rows, K]), tensor2d(as, [rank, K]), tensor2d(bs, [N, rank])];
  const [residual, dy] = [tensor2d(residuals, [rows, N]), tensor2d(dys, [rows, N])];
  const layer = (...[input, weightA, weightB]: Tensor[]): Tensor2D =>
    loraMatmul4bit(input as Tensor2D, quantized, {
      lora: { a: weightA as Tensor2D, b: weightB as Tensor2D, scaling },
      residual: { tensor: residual },
    });
  const dot = (length: number, left: (i: number) => number, right: (i: number) => number): number => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += left(i) * right(i);
    return sum;
  };
  const inner = Float64Array.from({ length: rows * rank }, (_, at) => {
    const [row, r] = [Math.floor(at / rank), at % rank];
    return dot(
      K,
      (i) => xs[row * K + i]!,
      (i) => as[r * K + i]!,
    );
  });
  const dInner = Float64Array.from({ length: rows * rank }, (_, at) => {
    const [row, r] = [Math.floor(at / rank), at % rank];
    return dot(
      N,
      (i) => dys[row * N + i]!,
      (i) => scaling * bs[i * rank + r]!,
    );
  });
  const name = `${rows}x${N}x${K}`;
  await check(`lora y ${name}`, layer(x, a, b), (row, column) => {
    const update = dot(
      rank,
      (r) => inner[row * rank + r]!,
      (r) => bs[column * rank + r]!,
    );
    const base = dot(
      K,
      (i) => xs[row * K + i]!,
      (i) => dense[column * K + i]!,
    );
    return residuals[row * N + column]! + base + scaling * update;
  });
  const [dx, da, db] = grads((...given: Tensor[]) => sum(mul(layer(...given), dy)))([x, a, b]) as Tensor2D[];
  await check(`lora dx ${name}`, dx!, (row, column) => {
    const base = dot(
      N,
      (i) => dys[row * N + i]!,
      (i) => dense[i * K + column]!,
    );
    return (
      base +
      dot(
        rank,
        (r) => dInner[row * rank + r]!,
        (r) => as[r * K + column]!,
      )
    );
  });
  await check(`lora da ${name}`, da!, (r, column) =>
    dot(
      rows,
      (row) => dInner[row * rank + r]!,
      (row) => xs[row * K + column]!,
    ),
  );
  await check(
    `lora db ${name}`,
    db!,
    (column, r) =>
      scaling *
      dot(
        rows,
        (row) => dys[row * N + column]!,
        (row) => inner[row * rank + r]!,
      ),
  );
  for (const held of [x, a, b, residual, dy]) held.dispose();
}

const small = device.info.software;
for (const [N, K] of small
  ? [[128, 64]]
  : [
      [3072, 1024],
      [1024, 4096],
    ]) {
  const arrays = quantizeArray(values(N! * K!, 0.05), [N!, K!], { doubleQuant: true });
  const dense = dequantizeArray(arrays);
  const quantized = toDevice(arrays);
  const biases = values(N!);
  const bias = tensor1d(biases);
  for (const rows of small ? [33] : [24, 384, 391, 2048]) {
    const xs = values(rows * K!);
    const x = tensor2d(xs, [rows, K!]);
    await check(`matmul4bit ${rows}x${N}x${K}`, matmul4bit(x, quantized, { bias }), (row, column) => {
      let sum = biases[column]!;
      for (let i = 0; i < K!; i++) sum += xs[row * K! + i]! * dense[column * K! + i]!;
      return sum;
    });
    // As small as gradients of a mean loss are.
    const dys = values(rows * N!, 1e-6);
    const dy = tensor2d(dys, [rows, N!]);
    const input = matmul4bit(dy, quantized, { transposed: true });
    await check(`matmul4bit transposed ${rows}x${N}x${K}`, input, (row, column) => {
      let sum = 0;
      for (let i = 0; i < N!; i++) sum += dys[row * N! + i]! * dense[i * K! + column]!;
      return sum;
    });
    x.dispose();
    dy.dispose();
  }
  for (const rows of small ? [33] : [384, 391, 2048]) await checkLora(quantized, dense, [rows, N!, K!]);
}
for (const rows of small ? [65] : [384, 391 * 4, 8192]) {
  for (const width of small ? [128] : [1024, 4096]) {
    const [xs, as, ds] = [values(rows * width), values(16 * width), values(rows * 16, 1e-5)];
    const x = tensor2d(xs, [rows, width]);
    const a = tensor2d(as, [16, width]);
    const d = tensor2d(ds, [rows, 16]);
    await check(`x Aᵀ ${rows}x${width}`, gemm(x, a, { transposeB: true }), (row, column) => {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += xs[row * width + i]! * as[column * width + i]!;
      return sum;
    });
    await check(`dᵀ x ${rows}x${width}`, gemm(d, x, { transposeA: true }), (row, column) => {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += ds[i * 16 + row]! * xs[i * width + column]!;
      return sum;
    });
    await check(`xᵀ d ${rows}x${width}`, gemm(x, d, { transposeA: true }), (row, column) => {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += xs[i * width + row]! * ds[i * 16 + column]!;
      return sum;
    });
    for (const held of [x, a, d]) held.dispose();
  }
}
requireSmall(Object.fromEntries(results.map(({ name, error }) => [name, error])), LARGEST);
writeFileSync(
  `${folder}/product-errors${small ? '-software' : ''}.json`,
  JSON.stringify({ device: device.info, subgroupMatrices: matrices, results }, undefined, 1),
);
await exitWithGpuErrors(device, gpuErrors);
