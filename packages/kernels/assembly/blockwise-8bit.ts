// 8-bit block-wise quantisation with a table of 256 levels: Dettmers et al. 2022, "8-bit Optimizers via Block-wise
// Quantization", section 2.1; bitsandbytes backends/default/ops.py and csrc/cpu_ops.cpp.
import { largestLane, loadLanes } from './lanes';

const LAST_STEP: f32 = 65535;

/** How many of the 255 ascending bounds lie strictly below the value. */
// @ts-ignore: decorator
@inline
function codeOf(bounds: usize, value: f32): i32 {
  let code = 0;
  // Eight halvings of 256 places; `bounds[code + half - 1]` is the last bound of the lower half.
  for (let half = 128; half > 0; half >>= 1) {
    if (load<f32>(bounds + (<usize>(code + half - 1) << 2)) < value) code += half;
  }
  return code;
}

/**
 * Quantises one block: absmax[0] = max |x|, quantized[count] = number of bounds strictly below x·(1 / absmax) clamped to
 * [-1, 1]. With `grid` the scaled value is first rounded to one of 65,536 even steps, as bitsandbytes' CPU library does,
 * and the bounds are on the step; an all-zero block then gets codes 0.
 */
export function quantizeBlock(x: usize, count: i32, bounds: usize, grid: i32, quantized: usize, absmax: usize): void {
  let largest = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) largest = f32x4.pmax(largest, f32x4.abs(loadLanes(x + (<usize>i << 2), count - i)));
  const scale = largestLane(largest);
  store<f32>(absmax, scale);
  if (grid && scale == 0) {
    memory.fill(quantized, 0, count);
    return;
  }
  const reciprocal = <f32>1 / max(scale, <f32>1e-38);
  for (let i = 0; i < count; i++) {
    let value = min(<f32>1, max(<f32>-1, load<f32>(x + (<usize>i << 2)) * reciprocal));
    if (grid) value = trunc((value + 1) * <f32>0.5 * LAST_STEP + <f32>0.5);
    store<u8>(quantized + i, codeOf(bounds, value));
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
