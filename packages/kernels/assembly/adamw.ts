import { loadPart, storePart } from './lanes';

// Every step is rounded to float32 in the order written, as float32 code in another language rounds it; the scalars that
// combine hyperparameters are computed in float64 and rounded once, as Python's floats are.

// @ts-ignore: decorator
@inline
function lerp(from: v128, to: v128, weight: v128): v128 {
  return f32x4.add(from, f32x4.mul(weight, f32x4.sub(to, from)));
}

/** v·b2 + ((1 - b2)·g)·g */
// @ts-ignore: decorator
@inline
export function meanSquare(v: v128, grad: v128, beta2: v128, weight2: v128): v128 {
  return f32x4.add(f32x4.mul(v, beta2), f32x4.mul(f32x4.mul(weight2, grad), grad));
}

/** decayed + (stepSize·m) / (√v / root2 + eps) */
// @ts-ignore: decorator
@inline
export function step(decayed: v128, m: v128, v: v128, stepSize: v128, root2: v128, epsilon: v128): v128 {
  return f32x4.add(decayed, f32x4.div(f32x4.mul(stepSize, m), f32x4.add(f32x4.div(f32x4.sqrt(v), root2), epsilon)));
}

/**
 * One AdamW step over n parameters with float32 moments, in torch's order (torch/optim/adamw.py _single_tensor_adamw):
 *   g = grad·gradScale; p = p·(1 - lr·wd); m = m + (1 - b1)·(g - m); v = v·b2 + ((1 - b2)·g)·g;
 *   p = p + ((-lr / bc1)·m) / (√v / √bc2 + eps)
 * with bc1 = 1 - b1^t and bc2 = 1 - b2^t. p, m and v are updated in place.
 */
export function adamw32(
  p: usize, g: usize, m: usize, v: usize, n: i32,
  lr: f64, b1: f64, b2: f64, eps: f64, wd: f64, bc1: f64, bc2: f64, gradScale: f64,
): void {
  const scale = f32x4.splat(<f32>gradScale), decay = f32x4.splat(<f32>(1 - lr * wd));
  const weight1 = f32x4.splat(<f32>(1 - b1)), beta2 = f32x4.splat(<f32>b2), weight2 = f32x4.splat(<f32>(1 - b2));
  const stepSize = f32x4.splat(<f32>(-lr / bc1)), root2 = f32x4.splat(<f32>sqrt(bc2)), epsilon = f32x4.splat(<f32>eps);
  const whole = <usize>(n & ~3) << 2, part = n & 3;
  for (let at: usize = 0; at < whole; at += 16) {
    const grad = f32x4.mul(v128.load(g + at), scale);
    const first = lerp(v128.load(m + at), grad, weight1), second = meanSquare(v128.load(v + at), grad, beta2, weight2);
    v128.store(p + at, step(f32x4.mul(v128.load(p + at), decay), first, second, stepSize, root2, epsilon));
    v128.store(m + at, first);
    v128.store(v + at, second);
  }
  if (part) {
    const grad = f32x4.mul(loadPart(g + whole, part), scale);
    const first = lerp(loadPart(m + whole, part), grad, weight1);
    const second = meanSquare(loadPart(v + whole, part), grad, beta2, weight2);
    const decayed = f32x4.mul(loadPart(p + whole, part), decay);
    storePart(p + whole, step(decayed, first, second, stepSize, root2, epsilon), part);
    storePart(m + whole, first, part);
    storePart(v + whole, second, part);
  }
}
