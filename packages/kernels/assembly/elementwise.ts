import { loadPart, storePart } from './lanes';

/** y[n] = a[n] + b[n]; y may be either. */
export function add(a: usize, b: usize, n: i32, y: usize): void {
  const end = y + (<usize>(n & ~3) << 2);
  while (y < end) {
    v128.store(y, f32x4.add(v128.load(a), v128.load(b)));
    a += 16; b += 16; y += 16;
  }
  if (n & 3) storePart(y, f32x4.add(loadPart(a, n & 3), loadPart(b, n & 3)), n & 3);
}

/** y[n] += alpha·x[n]. */
export function axpy(alpha: f32, x: usize, n: i32, y: usize): void {
  const factor = f32x4.splat(alpha), end = y + (<usize>(n & ~3) << 2);
  while (y < end) {
    v128.store(y, f32x4.add(v128.load(y), f32x4.mul(factor, v128.load(x))));
    x += 16; y += 16;
  }
  if (n & 3) storePart(y, f32x4.add(loadPart(y, n & 3), f32x4.mul(factor, loadPart(x, n & 3))), n & 3);
}

/** x[n] *= alpha. */
export function scaleInPlace(x: usize, n: i32, alpha: f32): void {
  const factor = f32x4.splat(alpha), end = x + (<usize>(n & ~3) << 2);
  while (x < end) {
    v128.store(x, f32x4.mul(v128.load(x), factor));
    x += 16;
  }
  if (n & 3) storePart(x, f32x4.mul(loadPart(x, n & 3), factor), n & 3);
}

/** Σ x², squared and summed in float64. */
export function sumSquares(x: usize, n: i32): f64 {
  const end = x + (<usize>(n & ~3) << 2);
  let s0 = f64x2.splat(0), s1 = s0;
  while (x < end) {
    const low = f64x2.promote_low_f32x4(v128.load_zero<f64>(x)), high = f64x2.promote_low_f32x4(v128.load_zero<f64>(x, 8));
    s0 = f64x2.add(s0, f64x2.mul(low, low));
    s1 = f64x2.add(s1, f64x2.mul(high, high));
    x += 16;
  }
  const sums = f64x2.add(s0, s1);
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (let i = 0; i < (n & 3); i++) {
    const value = <f64>load<f32>(x + (<usize>i << 2));
    sum += value * value;
  }
  return sum;
}

/** 1 where x[n] holds a NaN or an infinity, else 0. */
export function hasNonFinite(x: usize, n: i32): i32 {
  const exponent = i32x4.splat(0x7f800000), end = x + (<usize>(n & ~3) << 2);
  let found = i32x4.splat(0);
  while (x < end) {
    found = v128.or(found, i32x4.eq(v128.and(v128.load(x), exponent), exponent));
    x += 16;
  }
  if (n & 3) found = v128.or(found, i32x4.eq(v128.and(loadPart(x, n & 3), exponent), exponent));
  return v128.any_true(found) ? 1 : 0;
}
