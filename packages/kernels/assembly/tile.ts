// The register tile every matrix product is made of: 2 rows of A times 16 columns of B. Eight accumulators hide the
// latency of the adds; with four vectors of B, one broadcast of A and one product they fit the 15 registers V8 has.
// GFLOP/s on one Zen 4 core at 3.7 GHz, depth 256, Node 20: 2x16 39.2, 3x12 39.2, 5x8 39.2, 4x8 37.4 (the same loop from
// gcc: 42.5); with 12 accumulators (6x8, 4x12) V8 spills and reaches 22 to 29. Within `gemm` 2x16 reaches 38 in Node 20,
// 38 and with relaxed SIMD 52 in Node 22, 47 and 54 in Node 24.

/** Rows of A a tile covers. */
export const TILE_ROWS: i32 = 2;
/** Columns of B a tile covers; a packed panel of B is `[k][16]` floats. */
export const TILE_COLUMNS: i32 = 16;

/** a·b + c; one rounding in the build with relaxed SIMD where the processor has FMA, two in the other. */
// @ts-ignore: decorator
@inline
function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}

// @ts-ignore: decorator
@inline
function update(c: usize, scaled: v128, beta: v128, keep: bool, bias: v128): void {
  v128.store(c, f32x4.add(keep ? f32x4.add(scaled, f32x4.mul(beta, v128.load(c))) : scaled, bias));
}

/**
 * C[2,16] = alpha·A[2,depth]·panel[depth,16] + beta·C + bias[16].
 * `a0` and `a1` are the rows of A, each `depth` consecutive floats; `panel` is a packed panel; `c` has `ldc` bytes a row.
 * C is not read where beta is 0; `bias` may be 0.
 */
export function tileOfRows(
  depth: i32, a0: usize, a1: usize, panel: usize, alpha: f32, beta: f32, c: usize, ldc: usize, bias: usize,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00;
  const end = a0 + (<usize>depth << 2);
  // One k a turn: V8's scheduler gathers the adds of one accumulator, so an unrolled body spills and runs slower.
  while (a0 < end) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16), b2 = v128.load(panel, 32), b3 = v128.load(panel, 48);
    let x = v128.load_splat<f32>(a0);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    c02 = multiplyAdd(x, b2, c02); c03 = multiplyAdd(x, b3, c03);
    x = v128.load_splat<f32>(a1);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    c12 = multiplyAdd(x, b2, c12); c13 = multiplyAdd(x, b3, c13);
    a0 += 4; a1 += 4; panel += 64;
  }
  const scale = f32x4.splat(alpha), old = f32x4.splat(beta), keep = beta != 0;
  let bias0 = f32x4.splat(0), bias1 = bias0, bias2 = bias0, bias3 = bias0;
  if (bias) {
    bias0 = v128.load(bias); bias1 = v128.load(bias, 16);
    bias2 = v128.load(bias, 32); bias3 = v128.load(bias, 48);
  }
  update(c, f32x4.mul(scale, c00), old, keep, bias0); update(c + 16, f32x4.mul(scale, c01), old, keep, bias1);
  update(c + 32, f32x4.mul(scale, c02), old, keep, bias2); update(c + 48, f32x4.mul(scale, c03), old, keep, bias3);
  c += ldc;
  update(c, f32x4.mul(scale, c10), old, keep, bias0); update(c + 16, f32x4.mul(scale, c11), old, keep, bias1);
  update(c + 32, f32x4.mul(scale, c12), old, keep, bias2); update(c + 48, f32x4.mul(scale, c13), old, keep, bias3);
}
