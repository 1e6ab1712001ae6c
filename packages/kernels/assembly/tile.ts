// The register tile every matrix product is made of: 4 rows of A times 8 columns of B. Eight accumulators hide the
// latency of the adds, and with two vectors of B, one broadcast of A and one product they fit the 15 registers V8 has.

/** Rows of A a tile covers. */
export const TILE_ROWS: i32 = 4;
/** Columns of B a tile covers; a packed panel of B is `[k][8]` floats. */
export const TILE_COLUMNS: i32 = 8;

// @ts-ignore: decorator
@inline
function update(c: usize, scaled: v128, beta: v128, keep: bool, bias: v128): void {
  v128.store(c, f32x4.add(keep ? f32x4.add(scaled, f32x4.mul(beta, v128.load(c))) : scaled, bias));
}

/**
 * C[4,8] = alpha·A[4,depth]·panel[depth,8] + beta·C + bias[8].
 * `a0`..`a3` are the rows of A, each `depth` consecutive floats; `panel` is a packed panel; `c` has `ldc` bytes a row.
 * C is not read where beta is 0; `bias` may be 0.
 */
export function tileOfRows(
  depth: i32, a0: usize, a1: usize, a2: usize, a3: usize, panel: usize,
  alpha: f32, beta: f32, c: usize, ldc: usize, bias: usize,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const end = a0 + (<usize>depth << 2);
  // One k a turn: V8's scheduler gathers the adds of one accumulator, so an unrolled body spills and runs slower (28 GFLOP/s
  // against 37 on Zen 4, where 16 multiplies and adds and 6 loads a turn bound the loop at 42).
  while (a0 < end) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16);
    let x = v128.load_splat<f32>(a0);
    c00 = f32x4.add(c00, f32x4.mul(x, b0)); c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load_splat<f32>(a1);
    c10 = f32x4.add(c10, f32x4.mul(x, b0)); c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load_splat<f32>(a2);
    c20 = f32x4.add(c20, f32x4.mul(x, b0)); c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load_splat<f32>(a3);
    c30 = f32x4.add(c30, f32x4.mul(x, b0)); c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a0 += 4; a1 += 4; a2 += 4; a3 += 4; panel += 32;
  }
  const scale = f32x4.splat(alpha), old = f32x4.splat(beta), keep = beta != 0;
  let bias0 = f32x4.splat(0), bias1 = bias0;
  if (bias) { bias0 = v128.load(bias); bias1 = v128.load(bias, 16); }
  update(c, f32x4.mul(scale, c00), old, keep, bias0); update(c + 16, f32x4.mul(scale, c01), old, keep, bias1);
  c += ldc;
  update(c, f32x4.mul(scale, c10), old, keep, bias0); update(c + 16, f32x4.mul(scale, c11), old, keep, bias1);
  c += ldc;
  update(c, f32x4.mul(scale, c20), old, keep, bias0); update(c + 16, f32x4.mul(scale, c21), old, keep, bias1);
  c += ldc;
  update(c, f32x4.mul(scale, c30), old, keep, bias0); update(c + 16, f32x4.mul(scale, c31), old, keep, bias1);
}
