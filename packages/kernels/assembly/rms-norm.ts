import { loadPart, storePart, sumOfLanes } from './lanes';

// Rows are summed in float32 over two times four lanes. Zhang and Sennrich 2019, equation 4.

/** y[rows,cols] = x·rrms·weight[cols] with rrms = 1 / √(mean(x²) + eps) of the row; also writes rrms[rows]. y may be x. */
export function rmsNorm(x: usize, weight: usize, rows: i32, cols: i32, eps: f32, y: usize, rrms: usize): void {
  const pitch = <usize>cols << 2, whole = <usize>(cols & ~3) << 2, part = cols & 3;
  for (let row = 0; row < rows; row++) {
    let s0 = f32x4.splat(0), s1 = s0;
    let at: usize = 0;
    for (; at + 32 <= whole; at += 32) {
      const a = v128.load(x + at), b = v128.load(x + at, 16);
      s0 = f32x4.add(s0, f32x4.mul(a, a));
      s1 = f32x4.add(s1, f32x4.mul(b, b));
    }
    if (at < whole) {
      const a = v128.load(x + at);
      s0 = f32x4.add(s0, f32x4.mul(a, a));
    }
    if (part) {
      const a = loadPart(x + whole, part);
      s1 = f32x4.add(s1, f32x4.mul(a, a));
    }
    const reciprocal: f32 = <f32>1 / sqrt<f32>(sumOfLanes(f32x4.add(s0, s1)) / <f32>cols + eps), scale = f32x4.splat(reciprocal);
    store<f32>(rrms + (<usize>row << 2), reciprocal);
    for (at = 0; at < whole; at += 16) {
      v128.store(y + at, f32x4.mul(f32x4.mul(v128.load(x + at), scale), v128.load(weight + at)));
    }
    if (part) storePart(y + at, f32x4.mul(f32x4.mul(loadPart(x + at, part), scale), loadPart(weight + at, part)), part);
    x += pitch;
    y += pitch;
  }
}

// @ts-ignore: decorator
@inline
function gradient(dy: v128, weight: v128, x: v128, projected: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.sub(f32x4.mul(dy, weight), f32x4.mul(x, projected)), scale);
}

/** dx[rows,cols] from dy, x, weight and the forward pass' rrms. dx may be dy. */
export function rmsNormBackward(
  dy: usize, x: usize, weight: usize, rrms: usize, rows: i32, cols: i32, dx: usize,
): void {
  const pitch = <usize>cols << 2, whole = <usize>(cols & ~3) << 2, part = cols & 3;
  for (let row = 0; row < rows; row++) {
    const reciprocal = load<f32>(rrms + (<usize>row << 2)), scale = f32x4.splat(reciprocal);
    let sum = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      sum = f32x4.add(sum, f32x4.mul(f32x4.mul(v128.load(dy + at), v128.load(weight + at)), v128.load(x + at)));
    }
    if (part) {
      sum = f32x4.add(sum, f32x4.mul(f32x4.mul(loadPart(dy + whole, part), loadPart(weight + whole, part)), loadPart(x + whole, part)));
    }
    const projected = f32x4.splat(sumOfLanes(sum) / <f32>cols * reciprocal * reciprocal);
    for (let at: usize = 0; at < whole; at += 16) {
      v128.store(dx + at, gradient(v128.load(dy + at), v128.load(weight + at), v128.load(x + at), projected, scale));
    }
    if (part) {
      const value = gradient(loadPart(dy + whole, part), loadPart(weight + whole, part), loadPart(x + whole, part), projected, scale);
      storePart(dx + whole, value, part);
    }
    dy += pitch;
    x += pitch;
    dx += pitch;
  }
}

/** dweight[cols] = Σ dy·x·rrms over the rows in order. */
export function rmsNormWeightGradient(dy: usize, x: usize, rrms: usize, rows: i32, cols: i32, dweight: usize): void {
  const pitch = <usize>cols << 2;
  for (let c = 0; c < cols; c += 4) {
    const left = cols - c, at = <usize>c << 2;
    let p = dy + at, q = x + at, sum = f32x4.splat(0);
    for (let row = 0; row < rows; row++) {
      const scale = v128.load_splat<f32>(rrms + (<usize>row << 2));
      const slope = left >= 4 ? v128.load(p) : loadPart(p, left), value = left >= 4 ? v128.load(q) : loadPart(q, left);
      sum = f32x4.add(sum, f32x4.mul(slope, f32x4.mul(value, scale)));
      p += pitch;
      q += pitch;
    }
    if (left >= 4) v128.store(dweight + at, sum);
    else storePart(dweight + at, sum, left);
  }
}
