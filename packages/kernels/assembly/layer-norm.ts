import { loadPart, storePart, sumOfLanes } from './lanes';

// Rows are summed in float32 over four lanes; the variance is that of the differences from the mean (two passes), so no
// digits cancel. Ba et al. 2016, section 3; torch's biased variance.

// @ts-ignore: decorator
@inline
function affine(x: v128, centre: v128, scale: v128, gamma: v128, beta: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.mul(f32x4.sub(x, centre), scale), gamma), beta);
}

/**
 * y[rows,cols] = (x - mean)·rstd·gamma[cols] + beta[cols] with rstd = 1 / √(variance + eps) of the row; also writes
 * mean[rows] and rstd[rows]. y may be x.
 */
export function layerNorm(
  x: usize, gamma: usize, beta: usize, rows: i32, cols: i32, eps: f32, y: usize, mean: usize, rstd: usize,
): void {
  const pitch = <usize>cols << 2, whole = <usize>(cols & ~3) << 2, part = cols & 3;
  for (let row = 0; row < rows; row++) {
    let s0 = f32x4.splat(0), s1 = s0;
    let at: usize = 0;
    for (; at + 32 <= whole; at += 32) {
      s0 = f32x4.add(s0, v128.load(x + at));
      s1 = f32x4.add(s1, v128.load(x + at, 16));
    }
    if (at < whole) s0 = f32x4.add(s0, v128.load(x + at));
    if (part) s1 = f32x4.add(s1, loadPart(x + whole, part));
    const average = sumOfLanes(f32x4.add(s0, s1)) / <f32>cols, centre = f32x4.splat(average);
    s0 = f32x4.splat(0);
    s1 = s0;
    for (at = 0; at + 32 <= whole; at += 32) {
      const d0 = f32x4.sub(v128.load(x + at), centre), d1 = f32x4.sub(v128.load(x + at, 16), centre);
      s0 = f32x4.add(s0, f32x4.mul(d0, d0));
      s1 = f32x4.add(s1, f32x4.mul(d1, d1));
    }
    if (at < whole) {
      const d = f32x4.sub(v128.load(x + at), centre);
      s0 = f32x4.add(s0, f32x4.mul(d, d));
    }
    let squares = sumOfLanes(f32x4.add(s0, s1));
    for (at = whole; at < pitch; at += 4) {
      const d = load<f32>(x + at) - average;
      squares += d * d;
    }
    const reciprocal: f32 = <f32>1 / sqrt<f32>(squares / <f32>cols + eps), scale = f32x4.splat(reciprocal);
    store<f32>(mean + (<usize>row << 2), average);
    store<f32>(rstd + (<usize>row << 2), reciprocal);
    for (at = 0; at < whole; at += 16) {
      v128.store(y + at, affine(v128.load(x + at), centre, scale, v128.load(gamma + at), v128.load(beta + at)));
    }
    if (part) {
      const value = affine(loadPart(x + at, part), centre, scale, loadPart(gamma + at, part), loadPart(beta + at, part));
      storePart(y + at, value, part);
    }
    x += pitch;
    y += pitch;
  }
}

// @ts-ignore: decorator
@inline
function gradient(scaled: v128, x: v128, centre: v128, scale: v128, meanScaled: v128, meanProjected: v128): v128 {
  const normalised = f32x4.mul(f32x4.sub(x, centre), scale);
  return f32x4.mul(f32x4.sub(f32x4.sub(scaled, meanScaled), f32x4.mul(normalised, meanProjected)), scale);
}

/** dx[rows,cols] from dy, x, gamma and the forward pass' mean and rstd. dx may be dy. */
export function layerNormBackward(
  dy: usize, x: usize, gamma: usize, mean: usize, rstd: usize, rows: i32, cols: i32, dx: usize,
): void {
  const pitch = <usize>cols << 2, whole = <usize>(cols & ~3) << 2, part = cols & 3, zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    const centre = v128.load_splat<f32>(mean + (<usize>row << 2)), scale = v128.load_splat<f32>(rstd + (<usize>row << 2));
    let sum = zero, projected = zero;
    for (let at: usize = 0; at < whole; at += 16) {
      const scaled = f32x4.mul(v128.load(dy + at), v128.load(gamma + at));
      sum = f32x4.add(sum, scaled);
      projected = f32x4.add(projected, f32x4.mul(scaled, f32x4.mul(f32x4.sub(v128.load(x + at), centre), scale)));
    }
    if (part) {
      // The lanes behind the end hold gamma = dy = 0, so they add nothing.
      const scaled = f32x4.mul(loadPart(dy + whole, part), loadPart(gamma + whole, part));
      sum = f32x4.add(sum, scaled);
      projected = f32x4.add(projected, f32x4.mul(scaled, f32x4.mul(f32x4.sub(loadPart(x + whole, part), centre), scale)));
    }
    const meanScaled = f32x4.splat(sumOfLanes(sum) / <f32>cols), meanProjected = f32x4.splat(sumOfLanes(projected) / <f32>cols);
    for (let at: usize = 0; at < whole; at += 16) {
      const scaled = f32x4.mul(v128.load(dy + at), v128.load(gamma + at));
      v128.store(dx + at, gradient(scaled, v128.load(x + at), centre, scale, meanScaled, meanProjected));
    }
    if (part) {
      const scaled = f32x4.mul(loadPart(dy + whole, part), loadPart(gamma + whole, part));
      storePart(dx + whole, gradient(scaled, loadPart(x + whole, part), centre, scale, meanScaled, meanProjected), part);
    }
    dy += pitch;
    x += pitch;
    dx += pitch;
  }
}

/** dgamma[cols] = Σ dy·(x - mean)·rstd and dbeta[cols] = Σ dy, both over the rows in order. */
export function layerNormParamGradients(
  dy: usize, x: usize, mean: usize, rstd: usize, rows: i32, cols: i32, dgamma: usize, dbeta: usize,
): void {
  const pitch = <usize>cols << 2, zero = f32x4.splat(0);
  let c = 0;
  // Eight columns at a time, so that the sums stay in registers.
  for (; c + 8 <= cols; c += 8) {
    const at = <usize>c << 2;
    let p = dy + at, q = x + at;
    let g0 = zero, g1 = zero, b0 = zero, b1 = zero;
    for (let row = 0; row < rows; row++) {
      const centre = v128.load_splat<f32>(mean + (<usize>row << 2)), scale = v128.load_splat<f32>(rstd + (<usize>row << 2));
      const d0 = v128.load(p), d1 = v128.load(p, 16);
      g0 = f32x4.add(g0, f32x4.mul(d0, f32x4.mul(f32x4.sub(v128.load(q), centre), scale)));
      g1 = f32x4.add(g1, f32x4.mul(d1, f32x4.mul(f32x4.sub(v128.load(q, 16), centre), scale)));
      b0 = f32x4.add(b0, d0);
      b1 = f32x4.add(b1, d1);
      p += pitch;
      q += pitch;
    }
    v128.store(dgamma + at, g0);
    v128.store(dgamma + at, g1, 16);
    v128.store(dbeta + at, b0);
    v128.store(dbeta + at, b1, 16);
  }
  for (; c < cols; c++) {
    const at = <usize>c << 2;
    let p = dy + at, q = x + at;
    let g: f32 = 0, b: f32 = 0;
    for (let row = 0; row < rows; row++) {
      const d = load<f32>(p);
      g += d * ((load<f32>(q) - load<f32>(mean + (<usize>row << 2))) * load<f32>(rstd + (<usize>row << 2)));
      b += d;
      p += pitch;
      q += pitch;
    }
    store<f32>(dgamma + at, g);
    store<f32>(dbeta + at, b);
  }
}
