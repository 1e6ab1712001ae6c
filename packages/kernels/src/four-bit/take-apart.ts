import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { checkShape } from '../engine/check';
import { KernelError } from '../errors';
import { checkBytes } from '../tfjs/bytes';
import { check4bitFormat } from './format';
import { blockCount, sizeOf, type Packed4bitAttributes, type Packed4bitInputs, type QuantizedTensor } from './types';

// Between the one public form of a 4-bit tensor and the one that kernels take.

/** A 4-bit tensor as an op is given it. */
export interface TakenApart<Shape extends readonly number[]> {
  readonly inputs: Packed4bitInputs;
  readonly attributes: Packed4bitAttributes & { readonly shape: Shape };
}

/** Checks every part of a 4-bit tensor against its shape and takes it apart for an op. */
export function takeApart(op: string, { packed, state }: QuantizedTensor): TakenApart<readonly number[]> {
  const { absmax, code, shape, blocksize, quantType, offset, state2 } = state;
  check4bitFormat(op, quantType, blocksize);
  const attributes = { shape, blocksize, nestedBlocksize: state2?.blocksize ?? 0 };
  const blocks = blockCount(attributes);
  checkBytes(op, 'packed', packed, Math.ceil(sizeOf(shape) / 2));
  if (state2 === undefined) {
    checkShape(op, 'absmax', absmax, [blocks]);
  } else {
    checkBytes(op, 'absmax', absmax, blocks);
    checkShape(op, 'state2.absmax', state2.absmax, [Math.ceil(blocks / state2.blocksize)]);
    checkShape(op, 'state2.code', state2.code, [256]);
  }
  if ((state2 === undefined ? undefined : 1) !== offset?.size) {
    throw new KernelError(
      'BAD_SHAPE',
      `${op}: offset has ${offset?.size ?? 0} elements, but ${state2 === undefined ? 'none' : 'one'} is needed`,
    );
  }
  checkShape(op, 'code', code, [16]);
  return {
    inputs: { packed, absmax, code, nestedAbsmax: state2?.absmax, nestedCode: state2?.code, offset },
    attributes,
  };
}

/** The same of a matrix. */
export function takeMatrixApart(op: string, weight: QuantizedTensor): TakenApart<readonly [N: number, K: number]> {
  const { shape } = weight.state;
  const [N, K, ...rest] = shape;
  if (N === undefined || K === undefined || rest.length > 0) {
    throw new KernelError('BAD_SHAPE', `${op}: the weight has shape [${shape.join(', ')}], but [N, K] is needed`);
  }
  const { inputs, attributes } = takeApart(op, weight);
  return { inputs, attributes: { ...attributes, shape: [N, K] } };
}

/** Names of the tensors of a weight among an op's inputs. */
export const WEIGHT_INPUTS = ['packed', 'absmax', 'code', 'nestedAbsmax', 'nestedCode', 'offset'] as const;

/** Those tensors. */
export function weightOf<Held extends Tensor | TensorInfo>(
  inputs: Readonly<Partial<Record<(typeof WEIGHT_INPUTS)[number], Held>>>,
): { packed: Held; absmax: Held; code: Held } & Record<'nestedAbsmax' | 'nestedCode' | 'offset', Held | undefined> {
  const { packed, absmax, code, nestedAbsmax, nestedCode, offset } = inputs;
  return { packed: packed!, absmax: absmax!, code: code!, nestedAbsmax, nestedCode, offset };
}
