import {
  GELU_CLIP,
  GELU_SIGMOID_SCALE,
  GELU_TANH,
  LAPLACE,
  LEAKY_RELU_SLOPE,
  type ActivationKind,
} from '../../formats/activations';

/**
 * The error function to float64 precision: its Maclaurin series near 0, the continued fraction of erfc (Abramowitz and
 * Stegun 7.1.14) further out.
 */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude < 2.5) {
    let term = x;
    let total = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (magnitude + fraction);
  const complement = Math.exp(-x * x) / Math.sqrt(Math.PI) / (magnitude + fraction);
  return Math.sign(x) * (1 - complement);
}

const normalDistribution = (x: number): number => 0.5 * (1 + erf(x * Math.SQRT1_2));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const geluErf = (x: number): number => x * normalDistribution(x);

const FUNCTIONS: Record<ActivationKind, (x: number) => number> = {
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(GELU_TANH.scale * (x + GELU_TANH.cubic * x ** 3))),
  gelu_erf: geluErf,
  gelu_clipped: (x) => Math.min(GELU_CLIP, Math.max(-GELU_CLIP, geluErf(x))),
  gelu_sigmoid: (x) => x * sigmoid(GELU_SIGMOID_SCALE * x),
  relu: (x) => Math.max(x, 0),
  relu_squared: (x) => Math.max(x, 0) ** 2,
  relu6: (x) => Math.min(6, Math.max(x, 0)),
  leaky_relu: (x) => (x > 0 ? x : LEAKY_RELU_SLOPE * x),
  silu: (x) => x * sigmoid(x),
  hardswish: (x) => (x * Math.min(6, Math.max(x + 3, 0))) / 6,
  mish: (x) => x * Math.tanh(softplus(x)),
  sigmoid,
  tanh: Math.tanh,
  laplace: (x) => 0.5 * (1 + erf((x - LAPLACE.mean) / (LAPLACE.std * Math.SQRT2))),
  sqrt_softplus: (x) => Math.sqrt(softplus(x)),
  linear: (x) => x,
};

/** An activation function in float64; the formulas of transformers' activations.py. */
export function activationReference(kind: ActivationKind, x: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, FUNCTIONS[kind]);
}

/**
 * The gradient of sum(dy * activation(x)) by x: a five-point central difference in float64, good to 1e-10, so that
 * the derivatives written out in compose and WGSL are held to the function itself. Away from the function's kinks.
 */
export function activationBackwardReference(
  kind: ActivationKind,
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
): Float64Array {
  const step = 1e-3;
  const at = FUNCTIONS[kind];
  return Float64Array.from(x, (value, i) => {
    const near = at(value + step) - at(value - step);
    const far = at(value + 2 * step) - at(value - 2 * step);
    return (dy[i]! * (8 * near - far)) / (12 * step);
  });
}
