import { add, clone, type Tensor } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp, type Op } from '../../engine/op';
import { KernelError } from '../../errors';
import { dropoutNumbers, RANDOM_HEADER } from '../../random/dropout-stream';
import { composeDropout, composeDropoutAdd } from './compose';
import { dropoutAddGradient, dropoutGradient } from './gradient';
import {
  rowsOf,
  type DropoutAddInputs,
  type DropoutAttributes,
  type DropoutInputs,
  type DropoutOptions,
} from './types';
import { webgpuDropout, webgpuDropoutAdd } from './webgpu';
import { wasmDropout, wasmDropoutAdd } from './wasm';

export type { DropoutOptions } from './types';

const run: Op<DropoutInputs, DropoutAttributes> = defineOp<DropoutInputs, DropoutAttributes>({
  name: 'QDropout',
  compose: composeDropout,
  wasm: wasmDropout,
  webgpu: webgpuDropout,
  gradient: dropoutGradient(() => run),
});

const runAdd = defineOp<DropoutAddInputs, DropoutAttributes>({
  name: 'QDropoutAdd',
  compose: composeDropoutAdd,
  wasm: wasmDropoutAdd,
  webgpu: webgpuDropoutAdd,
  gradient: dropoutAddGradient(() => run),
});

/** Checks the options of a dropout of so many rows, whichever op it is part of. */
export function checkDropout(op: string, { rate, random, site }: DropoutOptions, rows: number): DropoutAttributes {
  dropoutNumbers(rate);
  checkShape(op, 'random', random, [RANDOM_HEADER + rows]);
  checkTensor(op, 'random', random, 1, 'int32');
  if (!Number.isInteger(site) || site < 0 || site >= 2 ** 32) {
    throw new KernelError('BAD_ARGUMENT', `${op}: site ${site} is not an integer between 0 and 2^32 - 1`);
  }
  return { rate, site };
}

function checkFloat(op: string, argument: string, tensor: Tensor): void {
  checkTensor(op, argument, tensor, tensor.rank, 'float32');
}

/**
 * Inverted dropout, as torch.nn.functional.dropout in training: elements are 0 with probability `rate` in steps of 2^-16, the others are
 * multiplied by 1 / (1 - rate). Which ones depends on seed and step, the number of the element's row, its column and the site
 * alone (Philox4x32-7, 16 bits an element), so the same mask appears on every backend, in the backward pass, in a resumed run
 * and wherever else the row lies.
 *
 * @param x float32 [..., columns]
 */
export function dropout<T extends Tensor>(x: T, options: DropoutOptions): T {
  checkFloat('dropout', 'x', x);
  const attributes = checkDropout('dropout', options, rowsOf(x.shape).rows);
  if (options.rate === 0) return clone(x);
  return run({ x, random: options.random }, attributes) as T;
}

/** residual + dropout(x) in one pass; gradients go to both. x and residual are float32 of one shape. */
export function dropoutAdd<T extends Tensor>(x: T, residual: T, options: DropoutOptions): T {
  checkFloat('dropoutAdd', 'x', x);
  checkFloat('dropoutAdd', 'residual', residual);
  checkShape('dropoutAdd', 'residual', residual, x.shape);
  const attributes = checkDropout('dropoutAdd', options, rowsOf(x.shape).rows);
  if (options.rate === 0) return add(residual, x);
  return runAdd({ x, residual, random: options.random }, attributes) as T;
}
