import {
  GELU_CLIP,
  GELU_SIGMOID_SCALE,
  GELU_TANH,
  LAPLACE,
  LEAKY_RELU_SLOPE,
  type ActivationKind,
} from '../formats/activations';

/**
 * Functions the formulas use, over `T` = f32 or a vector of it. WGSL lets an implementation overflow inside tanh and
 * exp, so their arguments are kept to where float32 results still change.
 */
export const HELPERS = /* wgsl */ `
fn boundedTanh(x: T) -> T { return tanh(clamp(x, T(-12.0), T(12.0))); }
fn sigmoid(x: T) -> T { return 1.0 / (1.0 + exp(clamp(-x, T(-87.0), T(87.0)))); }
// log(1 + e) by its series where adding 1 would round e away.
fn softplus(x: T) -> T {
  let e = exp(-min(abs(x), T(87.0)));
  let series = e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * 0.25)));
  return max(x, T(0.0)) + select(log(1.0 + e), series, e < T(0.02));
}
// Abramowitz and Stegun 7.1.26; off by 1.5e-7 at most.
fn erf(x: T) -> T {
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - polynomial * exp(-min(x * x, T(87.0))));
}
fn normalDistribution(x: T) -> T { return 0.5 + 0.5 * erf(x * ${Math.SQRT1_2}); }
fn geluErf(x: T) -> T { return x * normalDistribution(x); }
fn geluErfSlope(x: T) -> T {
  return normalDistribution(x) + x * exp(-min(0.5 * x * x, T(87.0))) * ${1 / Math.sqrt(2 * Math.PI)};
}
// (1 + tanh(z)) / 2 is 1 / (1 + exp(-2 z)): one exponential, and nothing cancels.
fn geluDecay(x: T) -> T {
  return exp(clamp(-${2 * GELU_TANH.scale} * x * (1.0 + ${GELU_TANH.cubic} * x * x), T(-87.0), T(87.0)));
}
`;

const swishSlope = (scale: number): string => `let gate = sigmoid(${scale.toFixed(4)} * x);
  return gate * (1.0 + ${scale.toFixed(4)} * x * (1.0 - gate));`;

/** Bodies of functions of x, in WGSL. */
export const FORMULAS: Record<ActivationKind, { readonly value: string; readonly derivative: string }> = {
  gelu_tanh: {
    value: 'return x / (1.0 + geluDecay(x));',
    // Past 12 the second term is 0, and its square would overflow for what float32 can hold.
    derivative: `let decay = geluDecay(x);
  let gate = 1.0 / (1.0 + decay);
  let near = clamp(x, T(-12.0), T(12.0));
  let slope = ${2 * GELU_TANH.scale} * (1.0 + ${3 * GELU_TANH.cubic} * near * near);
  return gate * (1.0 + near * slope * (decay * gate));`,
  },
  gelu_erf: { value: 'return geluErf(x);', derivative: 'return geluErfSlope(x);' },
  gelu_clipped: {
    value: `return clamp(geluErf(x), T(-${GELU_CLIP}.0), T(${GELU_CLIP}.0));`,
    derivative: `return select(T(0.0), geluErfSlope(x), x < T(${GELU_CLIP}.0));`,
  },
  gelu_sigmoid: { value: `return x * sigmoid(${GELU_SIGMOID_SCALE} * x);`, derivative: swishSlope(GELU_SIGMOID_SCALE) },
  relu: { value: 'return max(x, T(0.0));', derivative: 'return select(T(0.0), T(1.0), x > T(0.0));' },
  relu_squared: {
    value: 'let y = max(x, T(0.0)); return y * y;',
    derivative: 'return 2.0 * max(x, T(0.0));',
  },
  relu6: {
    value: 'return clamp(x, T(0.0), T(6.0));',
    derivative: 'return select(T(0.0), T(1.0), (x > T(0.0)) & (x < T(6.0)));',
  },
  leaky_relu: {
    value: `return select(${LEAKY_RELU_SLOPE} * x, x, x > T(0.0));`,
    derivative: `return select(T(${LEAKY_RELU_SLOPE}), T(1.0), x > T(0.0));`,
  },
  silu: { value: 'return x * sigmoid(x);', derivative: swishSlope(1) },
  hardswish: {
    value: 'return x * clamp(x + 3.0, T(0.0), T(6.0)) * (1.0 / 6.0);',
    derivative: `let inside = x * (1.0 / 3.0) + 0.5;
  return select(select(T(0.0), T(1.0), x >= T(3.0)), inside, (x > T(-3.0)) & (x < T(3.0)));`,
  },
  mish: {
    value: 'return x * boundedTanh(softplus(x));',
    derivative: `let inner = boundedTanh(softplus(x));
  return inner + x * sigmoid(x) * (1.0 - inner * inner);`,
  },
  sigmoid: { value: 'return sigmoid(x);', derivative: 'let y = sigmoid(x); return y * (1.0 - y);' },
  tanh: {
    value: 'return boundedTanh(x);',
    derivative: 'let y = boundedTanh(x); return 1.0 - y * y;',
  },
  laplace: {
    value: `return 0.5 + 0.5 * erf((x - ${LAPLACE.mean}) * ${1 / (LAPLACE.std * Math.SQRT2)});`,
    derivative: `let z = (x - ${LAPLACE.mean}) * ${1 / (LAPLACE.std * Math.SQRT2)};
  return ${1 / (LAPLACE.std * Math.sqrt(2 * Math.PI))} * exp(-min(z * z, T(87.0)));`,
  },
  sqrt_softplus: {
    value: 'return select(sqrt(softplus(x)), exp(0.5 * x), x < T(-20.0));',
    derivative: 'return select(0.5 * sigmoid(x) / sqrt(softplus(x)), 0.5 * exp(0.5 * x), x < T(-20.0));',
  },
  linear: { value: 'return x;', derivative: 'return T(1.0);' },
};

/** WGSL of `name(x: vec4f) -> vec4f`, an activation or its derivative, with the helpers it uses. */
export function activationFunction(name: string, kind: ActivationKind, form: 'value' | 'derivative'): string {
  return `alias T = vec4f;${HELPERS}fn ${name}(x: T) -> T { ${FORMULAS[kind][form]} }`;
}
