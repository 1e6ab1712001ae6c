import { loadLanes, storeLanes } from './lanes';

/** y[n] = a[n] + b[n]; y may be either. */
export function add(a: usize, b: usize, n: i32, y: usize): void {
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    storeLanes(y + at, f32x4.add(loadLanes(a + at, n - i), loadLanes(b + at, n - i)), n - i);
  }
}

/** y[n] += alpha·x[n]. */
export function axpy(alpha: f32, x: usize, n: i32, y: usize): void {
  const factor = f32x4.splat(alpha);
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    storeLanes(y + at, f32x4.add(loadLanes(y + at, n - i), f32x4.mul(factor, loadLanes(x + at, n - i))), n - i);
  }
}

/** x[n] *= alpha. */
export function scaleInPlace(x: usize, n: i32, alpha: f32): void {
  const factor = f32x4.splat(alpha);
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    storeLanes(x + at, f32x4.mul(loadLanes(x + at, n - i), factor), n - i);
  }
}

/** Σ x², squared and summed in float64. */
export function sumSquares(x: usize, n: i32): f64 {
  let s0 = f64x2.splat(0), s1 = s0;
  for (let i = 0; i < n; i += 4) {
    const value = loadLanes(x + (<usize>i << 2), n - i);
    const low = f64x2.promote_low_f32x4(value), high = f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 2, 3));
    s0 = f64x2.add(s0, f64x2.mul(low, low));
    s1 = f64x2.add(s1, f64x2.mul(high, high));
  }
  const sum = f64x2.add(s0, s1);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** 1 where x[n] holds a NaN or an infinity, else 0. */
export function hasNonFinite(x: usize, n: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  let found = i32x4.splat(0);
  for (let i = 0; i < n; i += 4) {
    found = v128.or(found, i32x4.eq(v128.and(loadLanes(x + (<usize>i << 2), n - i), exponent), exponent));
  }
  return v128.any_true(found) ? 1 : 0;
}
