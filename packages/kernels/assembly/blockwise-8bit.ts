// 8-bit block-wise quantisation with a table of 256 levels: Dettmers et al. 2022, "8-bit Optimizers via Block-wise
// Quantization", section 2.1; bitsandbytes backends/default/ops.py and csrc/cpu_ops.cpp.
import { largestLane, loadPart } from './lanes';

const LAST_STEP: f32 = 65535;

/** Whether bounds[index] lies strictly below the value: 1 or 0. */
// @ts-ignore: decorator
@inline
function below(bounds: usize, index: i32, value: f32): i32 {
  return <i32>(load<f32>(bounds + (<usize>index << 2)) < value);
}

/** How many of the 255 ascending bounds lie strictly below the value: eight halvings, without a branch to mispredict. */
// @ts-ignore: decorator
@inline
function codeOf(bounds: usize, value: f32): i32 {
  let code = below(bounds, 127, value) << 7;
  code += below(bounds, code + 63, value) << 6;
  code += below(bounds, code + 31, value) << 5;
  code += below(bounds, code + 15, value) << 4;
  code += below(bounds, code + 7, value) << 3;
  code += below(bounds, code + 3, value) << 2;
  code += below(bounds, code + 1, value) << 1;
  return code + below(bounds, code, value);
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
  for (let i = 0; i < count; i++) {
    let value = load<f32>(x + (<usize>i << 2)) * reciprocal;
    if (value > 1) value = 1;
    if (value < -1) value = -1;
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
