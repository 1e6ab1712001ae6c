// Philox4x32-7, a random number from a counter and a key alone: Salmon et al. 2011, "Parallel random numbers: as easy
// as 1, 2, 3", section 4.3. Four counters at once, one a lane; a word decides on two elements.
import { loadPart, storePart } from './lanes';

const MULTIPLIER_0: i32 = 0xd2511f53;
const MULTIPLIER_1: i32 = 0xcd9e8d57;
const WEYL_0: i32 = 0x9e3779b9;
const WEYL_1: i32 = 0xbb67ae85;

// @ts-ignore: decorator
@inline
function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline
function decide(bits: v128, threshold: v128, value: v128): v128 {
  return v128.and(i32x4.ge_u(bits, threshold), value);
}

// @ts-ignore: decorator
@inline
function emit(hasX: bool, hasResidual: bool, bits: v128, threshold: v128, scale: v128, x: usize, residual: usize, y: usize): void {
  const value = decide(bits, threshold, hasX ? f32x4.mul(v128.load(x), scale) : scale);
  v128.store(y, hasResidual ? f32x4.add(v128.load(residual), value) : value);
}

// @ts-ignore: decorator
@inline
function emit8(hasX: bool, hasResidual: bool, words: v128, threshold: v128, scale: v128, x: usize, residual: usize, y: usize): void {
  emit(hasX, hasResidual, i32x4.extend_low_i16x8_u(words), threshold, scale, x, residual, y);
  emit(hasX, hasResidual, i32x4.extend_high_i16x8_u(words), threshold, scale, x + 16, residual + 16, y + 16);
}

function emitPart(bits: v128, threshold: v128, scale: v128, x: usize, residual: usize, y: usize, count: i32): void {
  const value = decide(bits, threshold, x ? f32x4.mul(loadPart(x, count), scale) : scale);
  storePart(y, residual ? f32x4.add(loadPart(residual, count), value) : value, count);
}

// @ts-ignore: decorator
@inline
function run(
  hasX: bool, hasResidual: bool, x: usize, residual: usize, group: i32, count: i32, threshold: u32, scale: f32,
  key0: i32, key1: i32, c1: i32, c2: i32, c3: i32, y: usize,
): void {
  const m0 = i32x4.splat(MULTIPLIER_0), m1 = i32x4.splat(MULTIPLIER_1);
  const limit = i32x4.splat(threshold), factor = f32x4.splat(scale);
  let groups = i32x4.add(i32x4.splat(group), i32x4(0, 1, 2, 3));
  while (count > 0) {
    let w0 = groups, w1 = i32x4.splat(c1), w2 = i32x4.splat(c2), w3 = i32x4.splat(c3);
    let k0 = key0, k1 = key1;
    for (let round = 0; round < 7; round++) {
      const a = i64x2.extmul_low_i32x4_u(w0, m0), b = i64x2.extmul_high_i32x4_u(w0, m0);
      const c = i64x2.extmul_low_i32x4_u(w2, m1), d = i64x2.extmul_high_i32x4_u(w2, m1);
      w0 = v128.xor(v128.xor(highHalves(c, d), w1), i32x4.splat(k0));
      w1 = lowHalves(c, d);
      w2 = v128.xor(v128.xor(highHalves(a, b), w3), i32x4.splat(k1));
      w3 = lowHalves(a, b);
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    // Lane l of words 0..3 belongs to elements 8l .. 8l + 7: a transpose.
    const low02 = v128.shuffle<i32>(w0, w2, 0, 4, 1, 5), low13 = v128.shuffle<i32>(w1, w3, 0, 4, 1, 5);
    const high02 = v128.shuffle<i32>(w0, w2, 2, 6, 3, 7), high13 = v128.shuffle<i32>(w1, w3, 2, 6, 3, 7);
    w0 = v128.shuffle<i32>(low02, low13, 0, 4, 1, 5);
    w1 = v128.shuffle<i32>(low02, low13, 2, 6, 3, 7);
    w2 = v128.shuffle<i32>(high02, high13, 0, 4, 1, 5);
    w3 = v128.shuffle<i32>(high02, high13, 2, 6, 3, 7);
    if (count >= 32) {
      emit8(hasX, hasResidual, w0, limit, factor, x, residual, y);
      emit8(hasX, hasResidual, w1, limit, factor, x + 32, residual + 32, y + 32);
      emit8(hasX, hasResidual, w2, limit, factor, x + 64, residual + 64, y + 64);
      emit8(hasX, hasResidual, w3, limit, factor, x + 96, residual + 96, y + 96);
      if (hasX) x += 128;
      if (hasResidual) residual += 128;
      y += 128;
      groups = i32x4.add(groups, i32x4.splat(4));
    } else {
      for (; count >= 8; count -= 8) {
        emit8(hasX, hasResidual, w0, limit, factor, x, residual, y);
        w0 = w1;
        w1 = w2;
        w2 = w3;
        if (hasX) x += 32;
        if (hasResidual) residual += 32;
        y += 32;
      }
      let bits = i32x4.extend_low_i16x8_u(w0);
      if (count >= 4) {
        emit(hasX, hasResidual, bits, limit, factor, x, residual, y);
        bits = i32x4.extend_high_i16x8_u(w0);
        if (hasX) x += 16;
        if (hasResidual) residual += 16;
        y += 16;
        count -= 4;
      }
      if (count > 0) emitPart(bits, limit, factor, x, residual, y, count);
    }
    count -= 32;
  }
}

/**
 * y[count] = residual + dropout(x) for elements 8·group .. 8·group + count of a site: element i draws half i & 1 of word
 * (i & 7) >> 1 of Philox with counter (i >> 3, c1, c2, c3), is 0 where the draw is below `threshold` and x·scale
 * otherwise. residual 0
 * stands for none, and then x 0 for ones: y is the mask. y may be x or residual.
 */
export function dropoutRun(
  x: usize, residual: usize, group: i32, count: i32, threshold: u32, scale: f32,
  key0: i32, key1: i32, c1: i32, c2: i32, c3: i32, y: usize,
): void {
  if (residual) run(true, true, x, residual, group, count, threshold, scale, key0, key1, c1, c2, c3, y);
  else if (x) run(true, false, x, 0, group, count, threshold, scale, key0, key1, c1, c2, c3, y);
  else run(false, false, 0, 0, group, count, threshold, scale, key0, key1, c1, c2, c3, y);
}
