import { loadPart, storePart } from './lanes';
import { exp4 } from './math';

// silu(gate)·up, Shazeer 2020, "GLU Variants Improve Transformer", equation 5.

// @ts-ignore: decorator
@inline
function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

// @ts-ignore: decorator
@inline
function gateSlope(gate: v128, share: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.mul(share, f32x4.add(one, f32x4.mul(gate, f32x4.sub(one, share))));
}

/** y[n] = gate·sigmoid(gate)·up. y may be either. */
export function swiglu(gate: usize, up: usize, n: i32, y: usize): void {
  const end = y + (<usize>(n & ~3) << 2);
  while (y < end) {
    const g = v128.load(gate);
    v128.store(y, f32x4.mul(f32x4.mul(g, sigmoid(g)), v128.load(up)));
    gate += 16; up += 16; y += 16;
  }
  if (n & 3) {
    const g = loadPart(gate, n & 3);
    storePart(y, f32x4.mul(f32x4.mul(g, sigmoid(g)), loadPart(up, n & 3)), n & 3);
  }
}

/** dgate[n] and dup[n] from dy, gate and up. Neither may be an input. */
export function swigluBackward(dy: usize, gate: usize, up: usize, n: i32, dgate: usize, dup: usize): void {
  const end = dup + (<usize>(n & ~3) << 2);
  while (dup < end) {
    const slope = v128.load(dy), g = v128.load(gate), share = sigmoid(g);
    v128.store(dgate, f32x4.mul(f32x4.mul(slope, v128.load(up)), gateSlope(g, share)));
    v128.store(dup, f32x4.mul(slope, f32x4.mul(g, share)));
    dy += 16; gate += 16; up += 16; dgate += 16; dup += 16;
  }
  if (n & 3) {
    const slope = loadPart(dy, n & 3), g = loadPart(gate, n & 3), share = sigmoid(g);
    storePart(dgate, f32x4.mul(f32x4.mul(slope, loadPart(up, n & 3)), gateSlope(g, share)), n & 3);
    storePart(dup, f32x4.mul(slope, f32x4.mul(g, share)), n & 3);
  }
}
