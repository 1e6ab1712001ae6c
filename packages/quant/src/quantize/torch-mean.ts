// The offset of double quantisation is torch's float32 mean, and files are equal byte by byte only with torch's order
// of adding. aten/src/ATen/native/cpu/SumKernel.cpp, as its AVX2 build runs it:

/** Lanes of a vector: the sum kernel's AVX2 build runs on AVX-512 machines too. */
const LANES = 8;
/** Vectors added independently, so that additions overlap. */
const STREAMS = 4;
/** A cascade of partial sums, each taking over the one below from time to time. */
const LEVELS = 4;
/** Above this many values torch splits a sum among its threads (at::internal::GRAIN_SIZE). */
const GRAIN = 32_768;

/**
 * torch.mean of float32 values on a CPU, to the bit. Above 32,768 values the order depends on the number of threads;
 * this is a machine with one for every 32,768 values, which two threads are up to 65,536.
 */
export function torchMean(values: Float32Array): number {
  const chunks = Math.max(1, Math.ceil(values.length / GRAIN));
  const length = Math.ceil(values.length / chunks);
  let sum = 0;
  for (let start = 0; start < values.length; start += length) {
    sum = Math.fround(sum + chunkSum(values.subarray(start, start + length)));
  }
  return Math.fround(sum / values.length);
}

function chunkSum(values: Float32Array): number {
  if (values.length < LANES) return strideSum(values, 1)[0]!;
  const lanes = strideSum(values, LANES);
  let sum = 0;
  for (let i = values.length - (values.length % LANES); i < values.length; i++) sum = Math.fround(sum + values[i]!);
  for (const lane of lanes) sum = Math.fround(sum + lane);
  return sum;
}

/** `row_sum`: sums of the vectors of `lanes` values, lane by lane; what fills no vector is left out. */
function strideSum(values: Float32Array, lanes: number): Float32Array {
  const vectors = Math.floor(values.length / lanes);
  const rows = Math.floor(vectors / STREAMS);
  const width = STREAMS * lanes;
  const sums = cascadeSum(values, rows, width);
  const total = sums.subarray(0, lanes);
  for (let i = rows * width; i < vectors * lanes; i++) total[i % lanes]! += values[i]!;
  for (let stream = 1; stream < STREAMS; stream++) {
    for (let lane = 0; lane < lanes; lane++) total[lane]! += sums[stream * lanes + lane]!;
  }
  return total;
}

/** `multi_row_sum`: column sums of values[rows][width]. */
function cascadeSum(values: Float32Array, rows: number, width: number): Float32Array {
  const power = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(2, rows))) / LEVELS));
  const step = 2 ** power;
  const levels = Array.from({ length: LEVELS }, () => new Float32Array(width));
  const add = (level: number, source: Float32Array, at: number): void => {
    const target = levels[level]!;
    for (let column = 0; column < width; column++) target[column]! += source[at + column]!;
  };
  let row = 0;
  while (row + step <= rows) {
    for (let i = 0; i < step; i++) add(0, values, width * row++);
    for (let level = 1; level < LEVELS; level++) {
      add(level, levels[level - 1]!, 0);
      levels[level - 1]!.fill(0);
      if ((row & ((step - 1) << (level * power))) !== 0) break;
    }
  }
  while (row < rows) add(0, values, width * row++);
  for (let level = 1; level < LEVELS; level++) add(0, levels[level]!, 0);
  return levels[0]!;
}
