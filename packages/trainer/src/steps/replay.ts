import type { Tensor } from '@tensorflow/tfjs-core';
import type { InputValues, PlanCache } from '@qlora-js/kernels';
import type { HostInput } from '../model/trainable-model';

/**
 * Rows of a batch are filled up to a multiple of this. Training batches of Banking77 then come in some eight shapes, each
 * recorded once; a GPU is not slower for the rows.
 */
export const ROW_MULTIPLE = 32;

export type HostInputs = Readonly<Record<string, HostInput>>;

/** A number that differs from run to run. */
export function numberInput(value: number): HostInput {
  return { values: Float32Array.of(value), shape: [1], dtype: 'float32' };
}

/**
 * Replays the cache's step for inputs of these shapes on their values; its outputs can be read from what is returned. The
 * shaders of a step that is new are compiled together before.
 */
export async function replay<Outputs extends Record<string, Tensor>>(
  cache: PlanCache<string, Outputs>,
  inputs: HostInputs,
): Promise<ReturnType<PlanCache<string, Outputs>['step']>> {
  const values: InputValues = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.values]));
  const step = cache.step(inputs);
  await step.compile();
  step.run(values);
  return step;
}
