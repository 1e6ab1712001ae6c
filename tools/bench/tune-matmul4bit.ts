// Every tile of the 4-bit product on subgroup matrices, at the shapes of GPT-2 medium, with x in float32 or float16 and W as
// codes or dequantised first: checked on sampled values against float64, then timed by timestamp queries. Writes $OUT/matmul4bit-tiles.json (default: bench/results).
// usage: npx tsx --conditions=@qlora-js/source tools/bench/tune-matmul4bit.ts [Dawn toggles, by comma] [name of the file]
import { mkdirSync, writeFileSync } from 'node:fs';
import { float32ToFloat16 } from '@qlora-js/hub';
import { codeTable, createDynamicMap, openDevice } from '@qlora-js/kernels';
import { hasSubgroupMatrices } from '../../packages/kernels/src/webgpu/capabilities';
import { splitSum } from '../../packages/kernels/src/products/split-sum';
import { NO_ADDITIONS } from '../../packages/kernels/src/products/additions';
import { threadsOf, workgroupBytes, type MatrixTile } from '../../packages/kernels/src/products/matrix-tiles';
import { halfWeightShader } from '../../packages/kernels/src/products/half-weight';
import { subgroupMatrixProduct } from '../../packages/kernels/src/products/matrix-shader';
import { SLOPE_SCALE } from '../../packages/kernels/src/webgpu/subgroup-matrix';
import { collectGpuErrors, exitWithGpuErrors } from './gpu-errors';

const [toggles = '', name = 'matmul4bit-tiles'] = process.argv.slice(2);
const device = await openDevice({ backend: 'webgpu', dawnToggles: toggles === '' ? [] : toggles.split(',') });
const gpu = device.gpuDevice!;
const gpuErrors = collectGpuErrors(device);
console.log(device.info.adapter, device.info.driver, device.info.features.join(' '));
if (!hasSubgroupMatrices(gpu)) {
  console.log('this device has no subgroup matrices of 16 x 16 x 16, f16 to f32: there are no tiles to try');
  process.exit(0);
}
const folder = process.env['OUT'] ?? 'bench/results';
mkdirSync(folder, { recursive: true });

const tile = (
  tileRows: number,
  tileColumns: number,
  tileDepth: number,
  subgroupRows: number,
  subgroupColumns: number,
): MatrixTile => ({ tileRows, tileColumns, tileDepth, subgroupRows, subgroupColumns });

const TILES: MatrixTile[] = [
  tile(128, 128, 64, 2, 4),
  tile(256, 128, 32, 4, 2),
  tile(128, 256, 32, 2, 4),
  tile(128, 128, 32, 2, 2),
  tile(128, 64, 64, 2, 2),
  tile(64, 64, 64, 2, 2),
];
/** Rows from which tiles of many rows are tried, and W dequantised first. */
const MANY = 1024;

interface Factors {
  readonly left: 'float32' | 'float16';
  readonly right: 'codes' | 'float16';
}

/** [N, K] of c_attn, attn.c_proj, mlp.c_fc, mlp.c_proj. */
const WEIGHTS = [
  [3072, 1024],
  [1024, 1024],
  [4096, 1024],
  [1024, 4096],
] as const;
const ROWS = device.info.software ? [33] : [384, 2048, 8192];
const ODD_ROWS = 391;
const SPLITS = [1, 2, 4];
const SAMPLES = 256;

let state = 12345;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const storage = (data: ArrayBufferView): GPUBuffer => {
  const buffer = gpu.createBuffer({
    size: Math.ceil(data.byteLength / 16) * 16,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  gpu.queue.writeBuffer(buffer, 0, data as unknown as Uint8Array<ArrayBuffer>);
  return buffer;
};
const empty = (bytes: number): GPUBuffer =>
  gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });

const code = codeTable('nf4');
const levels = createDynamicMap({ signed: true });
const [codeBuffer, levelsBuffer, offsetBuffer] = [code, levels, Float32Array.of(0.5)].map(storage);

const nans = new Float32Array(8192 * 4096).fill(NaN);

interface Pipe {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}
const pipes = new Map<string, Promise<Pipe>>();
function pipe(shader: string): Promise<Pipe> {
  let entry = pipes.get(shader);
  if (entry === undefined) {
    const module = gpu.createShaderModule({ code: shader });
    entry = gpu
      .createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } })
      .then((pipeline) => ({ pipeline, layout: pipeline.getBindGroupLayout(0) }));
    pipes.set(shader, entry);
  }
  return entry;
}
const constantsOf = (tile: MatrixTile, factors: Factors, transposed: boolean, split: boolean) => ({
  ...tile,
  ...factors,
  transposed,
  nested: true,
  bias: !transposed && !split,
  split,
  nestedShift: 8,
  blockShift: 6,
  ...NO_ADDITIONS,
});
const compileStart = performance.now();
const fitting = TILES.filter(
  (tile) =>
    workgroupBytes({ ...tile, transposed: true }) <= gpu.limits.maxComputeWorkgroupStorageSize &&
    workgroupBytes({ ...tile, transposed: false }) <= gpu.limits.maxComputeWorkgroupStorageSize,
);
const factorsOf = (rows: number): Factors[] =>
  (['float32', 'float16'] as const).flatMap((left) =>
    (rows < MANY ? (['codes'] as const) : (['codes', 'float16'] as const)).map((right) => ({ left, right })),
  );
/** The tiles worth trying at so many rows. */
const tilesOf = (rows: number): MatrixTile[] =>
  fitting.filter((tile) => (rows < MANY ? tile.tileRows <= 128 : tile.tileRows >= 128));
for (const rows of [384, 2048])
  for (const factors of factorsOf(rows))
    for (const tile of tilesOf(rows))
      for (const transposed of [false, true])
        for (const split of rows < MANY ? [false, true] : [false])
          void pipe(subgroupMatrixProduct(constantsOf(tile, factors, transposed, split)).code);
for (const bias of [false, true])
  void pipe(splitSum({ ...NO_ADDITIONS, bias, transposed: false, workgroupSize: 256 }).code);
await Promise.all(pipes.values());
console.log(`${pipes.size} pipelines in ${((performance.now() - compileStart) / 1e3).toFixed(1)} s`);

const bind = ({ layout }: Pipe, buffers: readonly GPUBuffer[], words: readonly number[]): GPUBindGroup => {
  const uniforms = gpu.createBuffer({ size: 64, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  gpu.queue.writeBuffer(uniforms, 0, Uint32Array.from(words));
  return gpu.createBindGroup({
    layout,
    entries: [...buffers, uniforms].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
};

type Run = (pass: GPUComputePassEncoder) => void;
const ROUNDS = 5;
const queries = gpu.createQuerySet({ type: 'timestamp', count: 4096 });

/**
 * Microseconds of each run, the median of its rounds. Everything is submitted before anything is read: a GPU that waits
 * for the host between measurements lowers its clocks.
 */
async function microseconds(runs: readonly Run[], estimate: (index: number) => number): Promise<number[]> {
  const bytes = runs.length * ROUNDS * 16;
  const resolved = gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const staging = gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const repeats = runs.map((_, index) => Math.max(3, Math.min(60, Math.round(2000 / estimate(index)))));
  for (let round = -3; round < ROUNDS; round++) {
    const encoder = gpu.createCommandEncoder();
    runs.forEach((run, index) => {
      const query = 2 * (Math.max(0, round) * runs.length + index);
      const timestampWrites = {
        querySet: queries,
        beginningOfPassWriteIndex: query,
        endOfPassWriteIndex: query + 1,
      };
      const pass = encoder.beginComputePass(round < 0 ? {} : { timestampWrites });
      for (let i = 0; i < repeats[index]!; i++) run(pass);
      pass.end();
    });
    gpu.queue.submit([encoder.finish()]);
  }
  const encoder = gpu.createCommandEncoder();
  encoder.resolveQuerySet(queries, 0, runs.length * ROUNDS * 2, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
  staging.destroy();
  resolved.destroy();
  return runs.map((_, index) => {
    const times = Array.from({ length: ROUNDS }, (_, round) => {
      const query = 2 * (round * runs.length + index);
      return Number(stamps[query + 1]! - stamps[query]!) / 1e3 / repeats[index]!;
    });
    return times.sort((a, b) => a - b)[ROUNDS >> 1]!;
  });
}
async function once(run: Run): Promise<void> {
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  run(pass);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  await Promise.resolve();
}

interface Row extends Factors {
  rows: number;
  N: number;
  K: number;
  transposed: boolean;
  tile: string;
  splits: number;
  error: number;
  microseconds: number;
  teraflops: number;
}
const results: Row[] = [];
const deadline = performance.now() + Number(process.env['SECONDS_LEFT'] ?? 240) * 1e3;

for (const [N, K] of WEIGHTS) {
  const bytes = Uint8Array.from({ length: (N * K) / 2 }, () => random() * 256);
  const absmaxCodes = Uint8Array.from({ length: (N * K) / 64 }, () => random() * 256);
  const nestedAbsmax = Float32Array.from({ length: (N * K) / 64 / 256 }, () => random() * 0.4);
  const bias = Float32Array.from({ length: N }, () => random() - 0.5);
  const weightAt = (element: number): number => {
    const byte = bytes[element >> 1]!;
    const block = element >> 6;
    const absmax = levels[absmaxCodes[block]!]! * nestedAbsmax[block >> 8]! + 0.5;
    return code[element & 1 ? byte & 15 : byte >> 4]! * absmax;
  };
  const packed = storage(bytes);
  const prepare = await pipe(halfWeightShader({ nested: true, blockShift: 6, nestedShift: 8 }).code);
  const halfWeight = empty(N * K * 2);
  const scales = [storage(absmaxCodes), storage(nestedAbsmax), levelsBuffer!, offsetBuffer!];
  const biasBuffer = storage(bias);
  const preparation = bind(prepare, [halfWeight, packed, codeBuffer!, ...scales], [(N * K) / 8]);
  const prepareWeight: Run = (pass) => {
    pass.setPipeline(prepare.pipeline);
    pass.setBindGroup(0, preparation);
    pass.dispatchWorkgroups((N * K) / 8 / 256);
  };
  for (const rows of [...ROWS, ODD_ROWS]) {
    for (const transposed of [false, true]) {
      const columns = transposed ? K : N;
      const depth = transposed ? N : K;
      if ((rows > 2048 || rows === ODD_ROWS) && N === K) continue;
      const xs = new Float32Array(rows * depth);
      for (let i = 0; i < xs.length; i++) xs[i] = i < 1 << 20 ? random() * 2 - 1 : xs[(i * 7 + 3) % (1 << 20)]!;
      const x = storage(xs);
      const halves = storage(float32ToFloat16(transposed ? xs.map((value) => value * SLOPE_SCALE) : xs));
      const product = empty(rows * columns * 4);
      const partial = empty(rows * columns * 4 * 4);
      const samples = Array.from({ length: SAMPLES }, (_, s): [number, number] => [
        s < 32 ? rows - 1 - (s % 8) : Math.floor(random() * rows),
        Math.floor(random() * columns),
      ]);
      const expected = samples.map(([row, column]) => {
        let sum = transposed ? 0 : bias[column]!;
        for (let i = 0; i < depth; i++)
          sum += xs[row * depth + i]! * weightAt(transposed ? i * K + column : column * K + i);
        return sum;
      });
      const flop = 2 * rows * columns * depth;
      const firstResult = results.length;
      const runs: Run[] = [];
      for (const factors of factorsOf(rows))
        for (const tile of tilesOf(rows)) {
          for (const splits of rows < MANY ? SPLITS : [1]) {
            const groups = Math.ceil(rows / tile.tileRows) * (columns / tile.tileColumns) * splits;
            if (rows < MANY && (groups < 40 || groups > 400)) continue;
            if (columns % tile.tileColumns !== 0 || depth % (tile.tileDepth * splits) !== 0) continue;
            if (performance.now() > deadline) continue;
            const main = await pipe(subgroupMatrixProduct(constantsOf(tile, factors, transposed, splits > 1)).code);
            const withBias = !transposed;
            const group = bind(
              main,
              [
                factors.left === 'float16' ? halves : x,
                splits > 1 ? partial : product,
                ...(factors.right === 'float16' ? [halfWeight] : [packed, codeBuffer!, ...scales]),
                ...(withBias && splits === 1 ? [biasBuffer] : []),
              ],
              [rows, columns, depth, depth / splits, K],
            );
            const reducer = await pipe(
              splitSum({ ...NO_ADDITIONS, bias: withBias, transposed: false, workgroupSize: 256 }).code,
            );
            const size = (rows * columns) / 4;
            const reduce =
              splits > 1
                ? bind(reducer, [partial, product, ...(withBias ? [biasBuffer] : [])], [size, columns / 4, splits])
                : undefined;
            const run: Run = (pass) => {
              if (factors.right === 'float16') prepareWeight(pass);
              pass.setPipeline(main.pipeline);
              pass.setBindGroup(0, group);
              pass.dispatchWorkgroups(columns / tile.tileColumns, Math.ceil(rows / tile.tileRows), splits);
              if (reduce === undefined) return;
              pass.setPipeline(reducer.pipeline);
              pass.setBindGroup(0, reduce);
              pass.dispatchWorkgroups(Math.ceil(size / 256));
            };
            gpu.queue.writeBuffer(product, 0, nans, 0, rows * columns);
            await once(run);
            // Every value must have been written, not only the sampled ones; the largest product takes too long to read.
            const checked = rows <= 2048 ? rows * columns : 0;
            const staging = gpu.createBuffer({
              size: Math.max(16, checked * 4),
              usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
            });
            const encoder = gpu.createCommandEncoder();
            encoder.copyBufferToBuffer(product, 0, staging, 0, checked * 4);
            gpu.queue.submit([encoder.finish()]);
            await staging.mapAsync(GPUMapMode.READ);
            const actual = new Float32Array(staging.getMappedRange());
            if (checked === 0) samples.length = 0;
            let [difference, norm] = [0, 0];
            samples.forEach(([row, column], s) => {
              difference += (actual[row * columns + column]! - expected[s]!) ** 2;
              norm += expected[s]! ** 2;
            });
            let unwritten = 0;
            for (let i = 0; i < checked; i++) if (Number.isNaN(actual[i]!)) unwritten++;
            staging.destroy();
            results.push({
              rows,
              N,
              K,
              transposed,
              ...factors,
              tile: Object.values(tile).join('x'),
              splits,
              error: unwritten > 0 ? Infinity : checked === 0 ? 0 : Math.sqrt(difference / norm),
              microseconds: 0,
              teraflops: 0,
            });
            runs.push(run);
          }
        }
      const times = runs.length === 0 ? [] : await microseconds(runs, () => flop / 8e7);
      times.forEach((time, index) => {
        results[firstResult + index]!.microseconds = time;
        results[firstResult + index]!.teraflops = flop / time / 1e6;
      });
      for (const buffer of [x, halves, product, partial]) buffer.destroy();
      const of = results.filter((r) => r.rows === rows && r.N === N && r.K === K && r.transposed === transposed);
      of.sort((a, b) => b.teraflops - a.teraflops);
      const worst = of.reduce((most, { error }) => Math.max(most, error), 0);
      console.log(
        `${rows}x${N}x${K}${transposed ? ' T' : ''} worst error ${worst.toExponential(1)}: ` +
          of
            .slice(0, 6)
            .map((r) => `${r.tile} ${r.left}/${r.right} /${r.splits} ${r.teraflops.toFixed(0)}`)
            .join('; '),
      );
    }
  }
}
writeFileSync(
  `${folder}/${name}.json`,
  JSON.stringify({ device: device.info, toggles, threads: TILES.map(threadsOf), results }, undefined, 1),
);
// Mean rate of a tile over all shapes, best split each, relative to each shape's best.
const shapeOf = (r: Row) => `${r.rows} ${r.N} ${r.K} ${r.transposed}`;
const best = new Map<string, number>();
for (const r of results) best.set(shapeOf(r), Math.max(best.get(shapeOf(r)) ?? 0, r.teraflops));
for (const tile of new Set(results.map((r) => r.tile))) {
  const own = new Map<string, number>();
  for (const r of results) if (r.tile === tile) own.set(shapeOf(r), Math.max(own.get(shapeOf(r)) ?? 0, r.teraflops));
  const shares = [...own].map(([shape, rate]) => rate / best.get(shape)!);
  console.log(
    `${tile}: ${(shares.reduce((a, b) => a + b, 0) / shares.length).toFixed(3)} of the best over ${shares.length} shapes, worst error ${Math.max(...results.filter((r) => r.tile === tile).map((r) => r.error)).toExponential(1)}`,
  );
}
await exitWithGpuErrors(device, gpuErrors);
