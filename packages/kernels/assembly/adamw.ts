import { loadLanes, storeLanes } from './lanes';

// Every step is rounded to float32 in the order written, as float32 code in another language rounds it; the scalars that
// combine hyperparameters are computed in float64 and rounded once, as Python's floats are.

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
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2, left = n - i;
    const grad = f32x4.mul(loadLanes(g + at, left), scale);
    let first = loadLanes(m + at, left), second = loadLanes(v + at, left);
    first = f32x4.add(first, f32x4.mul(weight1, f32x4.sub(grad, first)));
    second = f32x4.add(f32x4.mul(second, beta2), f32x4.mul(f32x4.mul(weight2, grad), grad));
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(second), root2), epsilon);
    const decayed = f32x4.mul(loadLanes(p + at, left), decay);
    storeLanes(p + at, f32x4.add(decayed, f32x4.div(f32x4.mul(stepSize, first), denominator)), left);
    storeLanes(m + at, first, left);
    storeLanes(v + at, second, left);
  }
}
