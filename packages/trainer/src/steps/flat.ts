import { tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { NamedVariable } from '@qlora-js/optim';

/** The values of float32 tensors, end to end, in memory of their own that can be handed to another thread. */
export function flatten(tensors: readonly Tensor[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0));
  let offset = 0;
  for (const held of tensors) {
    values.set(held.dataSync(), offset);
    offset += held.size;
  }
  return values;
}

/** Gives variables the values that `flatten` took from others of their shapes. */
export function assignFlat(variables: readonly NamedVariable[], values: Float32Array): void {
  tidy(() => {
    let offset = 0;
    for (const { variable } of variables) {
      variable.assign(tensor(values.subarray(offset, (offset += variable.size)), variable.shape, 'float32'));
    }
  });
}

/** Tensors of the variables' names and shapes with the values of `flatten`; the caller disposes of them. */
export function unflatten(variables: readonly NamedVariable[], values: Float32Array): Map<string, Tensor> {
  let offset = 0;
  return new Map(
    variables.map(({ name, variable: { size, shape } }) => [
      name,
      tensor(values.subarray(offset, (offset += size)), shape, 'float32'),
    ]),
  );
}
