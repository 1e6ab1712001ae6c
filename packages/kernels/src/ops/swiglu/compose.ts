import { add, mul, sigmoid, sub, type Tensor } from '@tensorflow/tfjs-core';
import type { SwigluBackwardInputs, SwigluGradients, SwigluInputs } from './types';

export function composeSwiglu({ gate, up }: SwigluInputs): Tensor {
  return mul(mul(gate, sigmoid(gate)), up);
}

export function composeSwigluBackward({ dy, gate, up }: SwigluBackwardInputs): SwigluGradients {
  const share = sigmoid(gate);
  const slope = mul(share, add(mul(gate, sub(1, share)), 1));
  return { gate: mul(mul(dy, up), slope), up: mul(dy, mul(gate, share)) };
}
