import { loadPart, storePart } from './lanes';
import { exp4, normalTail4, tanh4 } from './math';

/** Activations by number: the first argument of `activation` and `activationBackward`. */
const GELU_NEW = 0;
const GELU_ERF = 1;
const RELU = 2;
const SILU = 3;
const TANH = 4;
const QUICK_GELU = 5;

// GELU's tanh approximation is x·sigmoid(2u), u = √(2/π)(x + 0.044715 x³): 1 + tanh would cancel for negative x.
const TWICE_ROOT: f32 = 1.5957691216;
const CUBIC: f32 = 0.044715;

/** Less the argument of the sigmoid that the gated activations multiply x by. */
// @ts-ignore: decorator
@inline
function negatedGate(kind: i32, x: v128): v128 {
  if (kind == SILU) return f32x4.neg(x);
  if (kind == QUICK_GELU) return f32x4.mul(x, f32x4.splat(-1.702));
  const cube = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-TWICE_ROOT * CUBIC)), f32x4.splat(-TWICE_ROOT));
  return f32x4.mul(cube, x);
}

/** The derivative of the gate. */
// @ts-ignore: decorator
@inline
function gateSlope(kind: i32, x: v128): v128 {
  if (kind == SILU) return f32x4.splat(1);
  if (kind == QUICK_GELU) return f32x4.splat(1.702);
  return f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.splat(3 * TWICE_ROOT * CUBIC)), f32x4.splat(TWICE_ROOT));
}

/** The normal distribution function: the tail, or one less the tail. */
// @ts-ignore: decorator
@inline
function normal(x: v128, gauss: v128): v128 {
  const tail = normalTail4(x, gauss);
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1), tail), f32x4.lt(x, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function gaussian(x: v128): v128 {
  return exp4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

// @ts-ignore: decorator
@inline
function valueOf(kind: i32, x: v128): v128 {
  if (kind == RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (kind == TANH) return tanh4(x);
  if (kind == GELU_ERF) return f32x4.mul(x, normal(x, gaussian(x)));
  const one = f32x4.splat(1);
  return f32x4.mul(x, f32x4.div(one, f32x4.add(one, exp4(negatedGate(kind, x)))));
}

// @ts-ignore: decorator
@inline
function slopeOf(kind: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  if (kind == RELU) return v128.and(one, f32x4.gt(x, f32x4.splat(0)));
  if (kind == TANH) {
    const y = tanh4(x);
    return f32x4.sub(one, f32x4.mul(y, y));
  }
  if (kind == GELU_ERF) {
    const gauss = gaussian(x);
    return f32x4.add(normal(x, gauss), f32x4.mul(f32x4.mul(x, gauss), f32x4.splat(0.398942280)));
  }
  // s + x·s·(1 - s)·gate', with 1 - s = e·s. Beyond 88 the derivative is 0 or 1, and x³ would overflow.
  const inside = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88)), f32x4.splat(-88));
  const e = exp4(negatedGate(kind, inside)), s = f32x4.div(one, f32x4.add(one, e));
  return f32x4.mul(s, f32x4.add(one, f32x4.mul(f32x4.mul(inside, f32x4.mul(e, s)), gateSlope(kind, inside))));
}

// @ts-ignore: decorator
@inline
function forward(kind: i32, x: usize, n: i32, y: usize): void {
  const end = x + (<usize>(n & ~3) << 2);
  while (x < end) {
    v128.store(y, valueOf(kind, v128.load(x)));
    x += 16;
    y += 16;
  }
  if (n & 3) storePart(y, valueOf(kind, loadPart(x, n & 3)), n & 3);
}

// @ts-ignore: decorator
@inline
function backward(kind: i32, dy: usize, x: usize, n: i32, dx: usize): void {
  const end = x + (<usize>(n & ~3) << 2);
  while (x < end) {
    v128.store(dx, f32x4.mul(v128.load(dy), slopeOf(kind, v128.load(x))));
    x += 16;
    dy += 16;
    dx += 16;
  }
  if (n & 3) storePart(dx, f32x4.mul(loadPart(dy, n & 3), slopeOf(kind, loadPart(x, n & 3))), n & 3);
}

/** y[n] = gelu_new(x[n]), the tanh approximation (Hendrycks and Gimpel 2016, section 2). y may be x. */
export function geluNew(x: usize, n: i32, y: usize): void {
  forward(GELU_NEW, x, n, y);
}

/** dx[n] = dy[n]·gelu_new'(x[n]). dx may be dy. */
export function geluNewBackward(dy: usize, x: usize, n: i32, dx: usize): void {
  backward(GELU_NEW, dy, x, n, dx);
}

// The others are exported one by one only so that each is compiled as a function of its own: inlined into one, V8 keeps
// the constants of all of them alive, on the stack. Call them through `activation`.

export function geluErf(x: usize, n: i32, y: usize): void {
  forward(GELU_ERF, x, n, y);
}

export function geluErfBackward(dy: usize, x: usize, n: i32, dx: usize): void {
  backward(GELU_ERF, dy, x, n, dx);
}

export function relu(x: usize, n: i32, y: usize): void {
  forward(RELU, x, n, y);
}

export function reluBackward(dy: usize, x: usize, n: i32, dx: usize): void {
  backward(RELU, dy, x, n, dx);
}

export function silu(x: usize, n: i32, y: usize): void {
  forward(SILU, x, n, y);
}

export function siluBackward(dy: usize, x: usize, n: i32, dx: usize): void {
  backward(SILU, dy, x, n, dx);
}

export function tanh(x: usize, n: i32, y: usize): void {
  forward(TANH, x, n, y);
}

export function tanhBackward(dy: usize, x: usize, n: i32, dx: usize): void {
  backward(TANH, dy, x, n, dx);
}

export function quickGelu(x: usize, n: i32, y: usize): void {
  forward(QUICK_GELU, x, n, y);
}

export function quickGeluBackward(dy: usize, x: usize, n: i32, dx: usize): void {
  backward(QUICK_GELU, dy, x, n, dx);
}

/**
 * y[n] = activation(x[n]); y may be x. `kind`: 0 gelu_new, 1 gelu (erf), 2 relu, 3 silu, 4 tanh, 5 quick_gelu
 * (x·sigmoid(1.702 x)), as transformers' activations.py names them.
 */
export function activation(kind: i32, x: usize, n: i32, y: usize): void {
  switch (kind) {
    case GELU_NEW: return geluNew(x, n, y);
    case GELU_ERF: return geluErf(x, n, y);
    case RELU: return relu(x, n, y);
    case SILU: return silu(x, n, y);
    case TANH: return tanh(x, n, y);
    case QUICK_GELU: return quickGelu(x, n, y);
    default: unreachable();
  }
}

/** dx[n] = dy[n]·activation'(x[n]); dx may be dy. */
export function activationBackward(kind: i32, dy: usize, x: usize, n: i32, dx: usize): void {
  switch (kind) {
    case GELU_NEW: return geluNewBackward(dy, x, n, dx);
    case GELU_ERF: return geluErfBackward(dy, x, n, dx);
    case RELU: return reluBackward(dy, x, n, dx);
    case SILU: return siluBackward(dy, x, n, dx);
    case TANH: return tanhBackward(dy, x, n, dx);
    case QUICK_GELU: return quickGeluBackward(dy, x, n, dx);
    default: unreachable();
  }
}
