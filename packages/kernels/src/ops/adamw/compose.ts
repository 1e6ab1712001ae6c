import {
  add,
  div,
  greater,
  mul,
  slice,
  sqrt,
  square,
  sub,
  tensor1d,
  where,
  zerosLike,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import type { AdamwInputs, AdamwOutputs, StepValuesAttributes, StepValuesInputs, StepValuesOutputs } from './types';
import { STEP, type AdamwAttributes } from '../../optimizers/step-values';

export function composeAdamw(
  { parameter, gradient, m, v, step }: AdamwInputs,
  { beta1, beta2, epsilon, weightDecay, learningRateScale = 1 }: AdamwAttributes,
): AdamwOutputs {
  const value = (index: number): Tensor => slice(step, [index], [1]);
  const learningRate = mul(value(STEP.learningRate), learningRateScale);
  const apply = greater(value(STEP.apply), 0);
  // A gradient that is not finite times 0 is NaN, so what is left out is picked, not multiplied away.
  const scaled = where(apply, mul(gradient, value(STEP.gradientScale)), zerosLike(gradient));
  const newM = add(m, mul(sub(scaled, m), 1 - beta1));
  const newV = add(mul(v, beta2), mul(square(scaled), 1 - beta2));
  const denominator = add(div(sqrt(newV), value(STEP.rootCorrection2)), epsilon);
  const decayed = weightDecay === 0 ? parameter : mul(parameter, sub(1, mul(learningRate, weightDecay)));
  const updated = sub(decayed, div(mul(div(learningRate, value(STEP.correction1)), newM), denominator));
  return { parameter: where(apply, updated, parameter), m: where(apply, newM, m), v: where(apply, newV, v) };
}

/** In float64 on the host: powers of beta2 in float32 lose digits. */
export function composeStepValues(
  { learningRate, counter, control }: StepValuesInputs,
  { beta1, beta2 }: StepValuesAttributes,
): StepValuesOutputs {
  const [gradientScale = 1, apply = 1] = control === undefined ? [] : hostValues(control);
  const count = hostValues(counter)[0]!;
  const t = count + 1;
  const values = [
    hostValues(learningRate)[0]!,
    1 - beta1 ** t,
    Math.sqrt(1 - beta2 ** t),
    t,
    gradientScale,
    apply === 0 ? 0 : 1,
  ];
  return { values: tensor1d(values), counter: tensor1d([apply === 0 ? count : t]) };
}
