import {
  add,
  clipByValue,
  clone,
  div,
  erf,
  exp,
  greater,
  greaterEqual,
  leakyRelu,
  less,
  logicalAnd,
  minimum,
  mul,
  neg,
  onesLike,
  relu,
  relu6,
  sigmoid,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
  zerosLike,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {
  GELU_CLIP,
  GELU_SIGMOID_SCALE,
  GELU_TANH,
  LAPLACE,
  LEAKY_RELU_SLOPE,
  type ActivationKind,
} from '../../formats/activations';
import { type ActivationAttributes, type ActivationBackwardInputs, type ActivationInputs } from './types';

interface Formula {
  readonly value: (x: Tensor) => Tensor;
  readonly derivative: (x: Tensor) => Tensor;
}

/** Below this, softplus(x) equals exp(x) in float32, and its root is exp(x / 2) without underflow. */
const SOFTPLUS_TAIL = -20;

/** log(1 + exp(x)), by its series where adding 1 would round exp(x) away. */
function preciseSoftplus(x: Tensor): Tensor {
  const e = exp(minimum(x, SERIES_BELOW));
  const series = mul(e, sub(1, mul(e, sub(1 / 2, mul(e, sub(1 / 3, mul(e, 1 / 4)))))));
  return where(less(x, SERIES_BELOW), series, softplus(x));
}

/** exp(-4) to the fifth power, over 5, is below float32's rounding. */
const SERIES_BELOW = -4;

const geluTanhInner = (x: Tensor): Tensor =>
  tanh(mul(mul(x, add(mul(square(x), GELU_TANH.cubic), 1)), GELU_TANH.scale));

const normalDistribution = (x: Tensor): Tensor => mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);

const geluErf: Formula = {
  value: (x) => mul(x, normalDistribution(x)),
  derivative: (x) => add(normalDistribution(x), mul(mul(x, exp(mul(square(x), -0.5))), 1 / Math.sqrt(2 * Math.PI))),
};

const between = (x: Tensor, low: number, high: number): Tensor => logicalAnd(greater(x, low), less(x, high));

const laplaceArgument = (x: Tensor): Tensor => mul(sub(x, LAPLACE.mean), 1 / (LAPLACE.std * Math.SQRT2));

const FORMULAS: Record<ActivationKind, Formula> = {
  gelu_tanh: {
    value: (x) => mul(mul(x, 0.5), add(geluTanhInner(x), 1)),
    derivative: (x) => {
      const inner = geluTanhInner(x);
      const slope = mul(add(mul(square(x), 3 * GELU_TANH.cubic), 1), GELU_TANH.scale);
      return mul(add(add(inner, 1), mul(mul(x, sub(1, square(inner))), slope)), 0.5);
    },
  },
  gelu_erf: geluErf,
  gelu_clipped: {
    value: (x) => clipByValue(geluErf.value(x), -GELU_CLIP, GELU_CLIP),
    derivative: (x) => where(less(x, GELU_CLIP), geluErf.derivative(x), zerosLike(x)),
  },
  gelu_sigmoid: {
    value: (x) => mul(x, sigmoid(mul(x, GELU_SIGMOID_SCALE))),
    derivative: (x) => {
      const gate = sigmoid(mul(x, GELU_SIGMOID_SCALE));
      return mul(gate, add(mul(mul(x, GELU_SIGMOID_SCALE), sub(1, gate)), 1));
    },
  },
  relu: { value: relu, derivative: (x) => where(greater(x, 0), onesLike(x), zerosLike(x)) },
  relu_squared: { value: (x) => square(relu(x)), derivative: (x) => mul(relu(x), 2) },
  relu6: { value: relu6, derivative: (x) => where(between(x, 0, 6), onesLike(x), zerosLike(x)) },
  leaky_relu: {
    value: (x) => leakyRelu(x, LEAKY_RELU_SLOPE),
    derivative: (x) => where(greater(x, 0), onesLike(x), mul(onesLike(x), LEAKY_RELU_SLOPE)),
  },
  silu: {
    value: (x) => mul(x, sigmoid(x)),
    derivative: (x) => {
      const gate = sigmoid(x);
      return mul(gate, add(mul(x, sub(1, gate)), 1));
    },
  },
  hardswish: {
    value: (x) => mul(mul(x, relu6(add(x, 3))), 1 / 6),
    derivative: (x) =>
      where(between(x, -3, 3), add(mul(x, 1 / 3), 0.5), where(greaterEqual(x, 3), onesLike(x), zerosLike(x))),
  },
  mish: {
    value: (x) => mul(x, tanh(softplus(x))),
    derivative: (x) => {
      const inner = tanh(softplus(x));
      return add(inner, mul(mul(x, sigmoid(x)), sub(1, square(inner))));
    },
  },
  sigmoid: {
    value: sigmoid,
    derivative: (x) => {
      const y = sigmoid(x);
      return mul(y, sub(1, y));
    },
  },
  tanh: { value: tanh, derivative: (x) => sub(1, square(tanh(x))) },
  laplace: {
    value: (x) => mul(add(erf(laplaceArgument(x)), 1), 0.5),
    derivative: (x) => mul(exp(neg(square(laplaceArgument(x)))), 1 / (LAPLACE.std * Math.sqrt(2 * Math.PI))),
  },
  sqrt_softplus: {
    value: (x) => where(less(x, SOFTPLUS_TAIL), exp(mul(x, 0.5)), sqrt(preciseSoftplus(x))),
    derivative: (x) =>
      where(less(x, SOFTPLUS_TAIL), mul(exp(mul(x, 0.5)), 0.5), div(sigmoid(x), mul(sqrt(preciseSoftplus(x)), 2))),
  },
  linear: { value: clone, derivative: onesLike },
};

export function composeActivation({ x }: ActivationInputs, { kind }: ActivationAttributes): Tensor {
  return FORMULAS[kind].value(x);
}

export function composeActivationBackward({ dy, x }: ActivationBackwardInputs, { kind }: ActivationAttributes): Tensor {
  return mul(dy, FORMULAS[kind].derivative(x));
}
