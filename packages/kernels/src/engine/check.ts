import type { Tensor } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';

/** Checks a tensor's rank and dtype; the message names the op, the argument and what was given. */
export function checkTensor(
  op: string,
  argument: string,
  tensor: Tensor,
  rank: number,
  dtype: 'float32' | 'int32',
): void {
  if (tensor.rank !== rank) {
    throw new KernelError(
      'BAD_SHAPE',
      `${op}: ${argument} has shape [${tensor.shape.join(', ')}], but rank ${rank} is needed`,
    );
  }
  if (tensor.dtype !== dtype) {
    throw new KernelError('BAD_DTYPE', `${op}: ${argument} has dtype ${tensor.dtype}, but ${dtype} is needed`);
  }
}

/** Checks a shape given dimension by dimension; undefined stands for any size. */
export function checkShape(op: string, argument: string, tensor: Tensor, shape: readonly (number | undefined)[]): void {
  const fits = tensor.rank === shape.length && shape.every((size, i) => size === undefined || size === tensor.shape[i]);
  if (!fits) {
    const wanted = shape.map((size) => size ?? '?').join(', ');
    throw new KernelError(
      'BAD_SHAPE',
      `${op}: ${argument} has shape [${tensor.shape.join(', ')}], but [${wanted}] is needed`,
    );
  }
}
