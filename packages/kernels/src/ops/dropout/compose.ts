import { add, mul, tensor, where, zerosLike, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { DropoutStream, dropoutNumbers } from '../../random/dropout-stream';
import { rowsOf, type DropoutAddInputs, type DropoutAttributes, type DropoutInputs } from './types';

/** 1 where an element is kept, 0 where it is dropped; Philox has no form in tfjs ops, so the host draws it. */
function keepMask(x: Tensor, random: ArrayLike<number>, { rate, site }: DropoutAttributes): Uint8Array {
  const stream = new DropoutStream(random, site, dropoutNumbers(rate).threshold);
  const { columns } = rowsOf(x.shape);
  return Uint8Array.from({ length: x.size }, (_, at) => (stream.keeps(Math.floor(at / columns), at % columns) ? 1 : 0));
}

export function composeDropout({ x, random }: DropoutInputs, attributes: DropoutAttributes): Tensor {
  const keep = tensor(keepMask(x, hostValues(random), attributes), x.shape, 'bool');
  // Selected, not multiplied by the mask: a dropped infinity is 0, not NaN.
  return where(keep, mul(x, dropoutNumbers(attributes.rate).keepScale), zerosLike(x));
}

export function composeDropoutAdd({ x, residual, random }: DropoutAddInputs, attributes: DropoutAttributes): Tensor {
  return add(residual, composeDropout({ x, random }, attributes));
}
