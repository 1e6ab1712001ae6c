import { loadLanes, storeLanes } from './lanes';
import { exp4, normalTail4, sigmoid4, tanh4 } from './math';

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

/** The argument of the sigmoid that the gated activations multiply x by. */
// @ts-ignore: decorator
@inline
function gate(kind: i32, x: v128): v128 {
  if (kind == SILU) return x;
  if (kind == QUICK_GELU) return f32x4.mul(x, f32x4.splat(1.702));
  const cube = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.splat(TWICE_ROOT * CUBIC)), f32x4.splat(TWICE_ROOT));
  return f32x4.mul(cube, x);
}

/** The derivative of `gate`. */
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
  return f32x4.mul(x, sigmoid4(gate(kind, x)));
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
  // s + x·s·(1 - s)·gate', with 1 - s = e·s; the clamp keeps e·s from being infinity times zero.
  const e = exp4(f32x4.pmin(f32x4.neg(gate(kind, x)), f32x4.splat(80)));
  const s = f32x4.div(one, f32x4.add(one, e));
  return f32x4.mul(s, f32x4.add(one, f32x4.mul(f32x4.mul(x, f32x4.mul(e, s)), gateSlope(kind, x))));
}

// @ts-ignore: decorator
@inline
function forward(kind: i32, x: usize, n: i32, y: usize): void {
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    storeLanes(y + at, valueOf(kind, loadLanes(x + at, n - i)), n - i);
  }
}

// @ts-ignore: decorator
@inline
function backward(kind: i32, dy: usize, x: usize, n: i32, dx: usize): void {
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    const slope = slopeOf(kind, loadLanes(x + at, n - i));
    storeLanes(dx + at, f32x4.mul(loadLanes(dy + at, n - i), slope), n - i);
  }
}

/** y[n] = gelu_new(x[n]), the tanh approximation (Hendrycks and Gimpel 2016, section 2). y may be x. */
export function geluNew(x: usize, n: i32, y: usize): void {
  forward(GELU_NEW, x, n, y);
}

/** dx[n] = dy[n]·gelu_new'(x[n]). dx may be dy. */
export function geluNewBackward(dy: usize, x: usize, n: i32, dx: usize): void {
  backward(GELU_NEW, dy, x, n, dx);
}

/**
 * y[n] = activation(x[n]); y may be x. `kind`: 0 gelu_new, 1 gelu (erf), 2 relu, 3 silu, 4 tanh, 5 quick_gelu
 * (x·sigmoid(1.702 x)), as transformers' activations.py names them.
 */
export function activation(kind: i32, x: usize, n: i32, y: usize): void {
  switch (kind) {
    case GELU_NEW: return geluNew(x, n, y);
    case GELU_ERF: return forward(GELU_ERF, x, n, y);
    case RELU: return forward(RELU, x, n, y);
    case SILU: return forward(SILU, x, n, y);
    case TANH: return forward(TANH, x, n, y);
    case QUICK_GELU: return forward(QUICK_GELU, x, n, y);
    default: unreachable();
  }
}

/** dx[n] = dy[n]·activation'(x[n]); dx may be dy. */
export function activationBackward(kind: i32, dy: usize, x: usize, n: i32, dx: usize): void {
  switch (kind) {
    case GELU_NEW: return geluNewBackward(dy, x, n, dx);
    case GELU_ERF: return backward(GELU_ERF, dy, x, n, dx);
    case RELU: return backward(RELU, dy, x, n, dx);
    case SILU: return backward(SILU, dy, x, n, dx);
    case TANH: return backward(TANH, dy, x, n, dx);
    case QUICK_GELU: return backward(QUICK_GELU, dy, x, n, dx);
    default: unreachable();
  }
}
