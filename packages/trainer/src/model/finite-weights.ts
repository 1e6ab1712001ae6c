import type { NamedVariable } from '@qlora-js/optim';
import { TrainerError } from '../errors';

/**
 * Reads every trained weight: what is not finite is neither evaluated nor saved.
 *
 * @param step optimiser steps done, for the error
 * @throws TrainerError NON_FINITE naming the first variable that holds NaN or infinity
 */
export async function checkFiniteWeights(trained: readonly NamedVariable[], step: number): Promise<void> {
  for (const { name, variable } of trained) {
    const values = await variable.data();
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at < 0) continue;
    throw new TrainerError('NON_FINITE', `after step ${step} the weight '${name}' holds ${values[at]} at ${at}`, {
      value: values[at],
      remedy: 'lower learningRate or raise warmupSteps; checkpoints saved before are as they were',
    });
  }
}
