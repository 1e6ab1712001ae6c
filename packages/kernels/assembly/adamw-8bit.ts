import { meanSquare, step } from './adamw';
import { dequantizeBlock, quantizeBlock } from './blockwise-8bit';
import { loadPart, storePart } from './lanes';

const BLOCKSIZE: i32 = 256;

/** Bytes of scratch `adamw8bit` needs: the two moments of a block. */
export function adamw8bitScratchBytes(): i32 {
  return 2 * 4 * BLOCKSIZE;
}

/**
 * One AdamW step over n parameters with 8-bit moments in blocks of 256:
 *   g = grad·gradScale; m = m·b1 + (1 - b1)·g; v = v·b2 + ((1 - b2)·g)·g;
 *   p = p + ((-lr / bc1)·m) / (√v / √bc2 + eps)
 * with the exact float32 moments; then both are quantised again. p is multiplied by 1 - lr·wd after the step, as
 * bitsandbytes' CUDA kernel does, or before it with `grid`, as its CPU path does. state1 and state2 are u8[n]; absmax1 and absmax2 are
 * f32[ceil(n / 256)]; code1 (signed) and code2 (unsigned) are f32[256] and bounds1 and bounds2 f32[255] as in
 * `quantizeBlockwise`, `grid` too. A NaN or infinite gradient zeroes its moments and leaves its parameter as it is, decay
 * included (csrc/kernels.cu kOptimizerStatic8bit2StateBlockwise).
 */
export function adamw8bit(
  p: usize, g: usize, state1: usize, state2: usize, absmax1: usize, absmax2: usize,
  code1: usize, code2: usize, bounds1: usize, bounds2: usize, grid: i32, n: i32,
  lr: f64, b1: f64, b2: f64, eps: f64, wd: f64, bc1: f64, bc2: f64, gradScale: f64, scratch: usize,
): void {
  const m = scratch, v = scratch + 4 * <usize>BLOCKSIZE;
  const scale = f32x4.splat(<f32>gradScale), decay = f32x4.splat(<f32>(1 - lr * wd)), infinity = f32x4.splat(Infinity);
  const beta1 = f32x4.splat(<f32>b1), weight1 = f32x4.splat(<f32>(1 - b1));
  const beta2 = f32x4.splat(<f32>b2), weight2 = f32x4.splat(<f32>(1 - b2));
  const none = f32x4.splat(1), before = grid ? decay : none, after = grid ? none : decay;
  const stepSize = f32x4.splat(<f32>(-lr / bc1)), root2 = f32x4.splat(<f32>sqrt(bc2)), epsilon = f32x4.splat(<f32>eps);
  for (let start = 0; start < n; start += BLOCKSIZE) {
    const count = min(n - start, BLOCKSIZE);
    dequantizeBlock(state1, count, code1, absmax1, m);
    dequantizeBlock(state2, count, code2, absmax2, v);
    const whole = <usize>(count & ~3) << 2, part = count & 3;
    for (let at: usize = 0; at < (<usize>count << 2); at += 16) {
      // The last vector may reach behind p and g, never behind the scratch.
      const inside = at < whole;
      const grad = f32x4.mul(inside ? v128.load(g + at) : loadPart(g + at, part), scale), finite = f32x4.lt(f32x4.abs(grad), infinity);
      const old = inside ? v128.load(p + at) : loadPart(p + at, part);
      const first = f32x4.add(f32x4.mul(v128.load(m + at), beta1), f32x4.mul(weight1, grad));
      const second = meanSquare(v128.load(v + at), grad, beta2, weight2);
      const stepped = f32x4.mul(step(f32x4.mul(old, before), first, second, stepSize, root2, epsilon), after);
      const next = v128.bitselect(stepped, old, finite);
      if (inside) v128.store(p + at, next);
      else storePart(p + at, next, part);
      v128.store(m + at, v128.and(first, finite));
      v128.store(v + at, v128.and(second, finite));
    }
    quantizeBlock(m, count, bounds1, grid, state1, absmax1);
    quantizeBlock(v, count, bounds2, grid, state2, absmax2);
    p += <usize>count << 2;
    g += <usize>count << 2;
    state1 += count;
    state2 += count;
    absmax1 += 4;
    absmax2 += 4;
  }
}
