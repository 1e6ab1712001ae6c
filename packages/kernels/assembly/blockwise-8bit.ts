// 8-bit block-wise quantisation with a table of 256 levels: Dettmers et al. 2022, "8-bit Optimizers via Block-wise
// Quantization", section 2.1; bitsandbytes backends/default/ops.py and csrc/cpu_ops.cpp.
import { largestLane, loadPart } from './lanes';

const LAST_STEP: f32 = 65535;

/** How many lanes of four ascending vectors lie strictly below the value, out of those in `lanes`. */
// @ts-ignore: decorator
@inline
function countBelow(b0: v128, b1: v128, b2: v128, b3: v128, value: v128, lanes: i32): i32 {
  const low = i16x8.narrow_i32x4_s(f32x4.lt(b0, value), f32x4.lt(b1, value));
  const high = i16x8.narrow_i32x4_s(f32x4.lt(b2, value), f32x4.lt(b3, value));
  return popcnt(i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)) & lanes);
}

/** bounds[first], bounds[first + 16], .. + 48. */
// @ts-ignore: decorator
@inline
function everySixteenth(bounds: usize, first: i32): v128 {
  const p = bounds + (<usize>first << 2);
  let four = v128.load_zero<f32>(p);
  four = v128.load_lane<f32>(p + 64, four, 1);
  four = v128.load_lane<f32>(p + 128, four, 2);
  // bounds[255] does not exist; nothing lies above infinity.
  return first == 207 ? f32x4.replace_lane(four, 3, Infinity) : v128.load_lane<f32>(p + 192, four, 3);
}

/**
 * Quantises one block: absmax[0] = max |x|, quantized[count] = number of bounds strictly below x·(1 / absmax) clamped to
 * [-1, 1]. With `grid` the scaled value is first rounded to one of 65,536 even steps, as bitsandbytes' CPU library does,
 * and the bounds are on the step; an all-zero block then gets codes 0.
 */
export function quantizeBlock(x: usize, count: i32, bounds: usize, grid: i32, quantized: usize, absmax: usize): void {
  let largest = f32x4.splat(0);
  const whole = <usize>(count & ~3) << 2;
  for (let at: usize = 0; at < whole; at += 16) largest = f32x4.pmax(largest, f32x4.abs(v128.load(x + at)));
  if (count & 3) largest = f32x4.pmax(largest, f32x4.abs(loadPart(x + whole, count & 3)));
  const scale = largestLane(largest);
  store<f32>(absmax, scale);
  if (grid && scale == 0) {
    memory.fill(quantized, 0, count);
    return;
  }
  const reciprocal = <f32>1 / max(scale, <f32>1e-38);
  // Which of 16 runs of 16 bounds, then which in the run: two comparisons with 16 bounds each instead of eight halvings,
  // each of which would wait for the one before.
  const p0 = everySixteenth(bounds, 15), p1 = everySixteenth(bounds, 79), p2 = everySixteenth(bounds, 143), p3 = everySixteenth(bounds, 207);
  for (let i = 0; i < count; i++) {
    let scaled = load<f32>(x + (<usize>i << 2)) * reciprocal;
    if (scaled > 1) scaled = 1;
    if (scaled < -1) scaled = -1;
    if (grid) scaled = trunc((scaled + 1) * <f32>0.5 * LAST_STEP + <f32>0.5);
    const value = f32x4.splat(scaled), run = countBelow(p0, p1, p2, p3, value, 0xffff) << 4;
    // The 15 bounds of the run; the last vector begins one early, so as not to read behind the table.
    const q = bounds + (<usize>run << 2);
    const code = run + countBelow(v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 44), value, 0xefff);
    store<u8>(quantized + i, code);
  }
}

/** `quantizeBlock` over n values in blocks; bounds[255] lie between the levels of the table. */
export function quantizeBlockwise(
  x: usize, n: i32, blocksize: i32, bounds: usize, grid: i32, quantized: usize, absmax: usize,
): void {
  for (let start = 0; start < n; start += blocksize) {
    quantizeBlock(x + (<usize>start << 2), min(n - start, blocksize), bounds, grid, quantized + start, absmax);
    absmax += 4;
  }
}

/** out[count] = code[quantized]·absmax[0]. */
export function dequantizeBlock(quantized: usize, count: i32, code: usize, absmax: usize, out: usize): void {
  const scale = load<f32>(absmax);
  for (let i = 0; i < count; i++) {
    store<f32>(out + (<usize>i << 2), load<f32>(code + (<usize>load<u8>(quantized + i) << 2)) * scale);
  }
}

/** out[n] = code[quantized]·absmax[i / blocksize]. */
export function dequantizeBlockwise(quantized: usize, n: i32, code: usize, blocksize: i32, absmax: usize, out: usize): void {
  for (let start = 0; start < n; start += blocksize) {
    dequantizeBlock(quantized + start, min(n - start, blocksize), code, absmax, out + (<usize>start << 2));
    absmax += 4;
  }
}
