import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import { checkShape } from '../engine/check';
import { KernelError } from '../errors';
import { codeTable } from '../formats/codes';
import { checkBytes } from '../tfjs/bytes';
import { check4bitFormat } from './format';
import { blockCount, sizeOf, type Packed4bitAttributes, type Packed4bitInputs, type Quantized4bit } from './types';

/** Checks every part of a 4-bit tensor against its shape and takes it apart for an op. */
export function takeApart(
  op: string,
  quantized: Quantized4bit,
): { inputs: Packed4bitInputs; attributes: Packed4bitAttributes } {
  const { packed, absmax, nested, shape, blocksize, quantType } = quantized;
  check4bitFormat(op, quantType, blocksize);
  const attributes = { shape, blocksize, nestedBlocksize: nested?.blocksize ?? 0 };
  const blocks = blockCount(attributes);
  checkBytes(op, 'packed', packed, Math.ceil(sizeOf(shape) / 2));
  if (nested === undefined) {
    checkShape(op, 'absmax', absmax, [blocks]);
  } else {
    checkBytes(op, 'absmax', absmax, blocks);
    checkShape(op, 'nested.absmax', nested.absmax, [Math.ceil(blocks / nested.blocksize)]);
    checkShape(op, 'nested.code', nested.code, [256]);
    if (nested.offset.size !== 1) {
      throw new KernelError('BAD_SHAPE', `${op}: nested.offset has ${nested.offset.size} elements, but one is needed`);
    }
  }
  const code: Tensor1D = quantized.code ?? tensor1d(codeTable(quantType));
  checkShape(op, 'code', code, [16]);
  return {
    inputs: {
      packed,
      absmax,
      code,
      nestedAbsmax: nested?.absmax,
      nestedCode: nested?.code,
      offset: nested?.offset,
    },
    attributes,
  };
}
