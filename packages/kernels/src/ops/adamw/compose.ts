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
import { type AdamwInputs, type StepValuesAttributes, type StepValuesInputs } from './types';
import { STEP, type AdamwAttributes } from '../../optimizers/step-values';

/** Returns the new parameter, m and v. */
export function composeAdamw(
  { parameter, gradient, m, v, step }: AdamwInputs,
  { beta1, beta2, epsilon, weightDecay, learningRateScale = 1 }: AdamwAttributes,
): Tensor[] {
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
  return [where(apply, updated, parameter), where(apply, newM, m), where(apply, newV, v)];
}

/** Returns the step's values and the new count, in float64 on the host: powers of beta2 in float32 lose digits. */
export function composeStepValues(
  { learningRate, counter, control }: StepValuesInputs,
  { beta1, beta2 }: StepValuesAttributes,
): Tensor[] {
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
  return [tensor1d(values), tensor1d([apply === 0 ? count : t])];
}
