import { tensor, tensor1d, util, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { halfBits, unpackHalves } from '../../formats/half';
import { wordsOf, type PackHalfInputs, type UnpackHalfAttributes, type UnpackHalfInputs } from './types';

/** On the host: tfjs has no cast to bits. */
export function composePackHalf({ x }: PackHalfInputs): Tensor {
  const values = hostValues(x);
  const words = new Int32Array(wordsOf(x.size));
  for (let i = 0; i < values.length; i++) words[i >> 1]! |= halfBits(values[i]!) << (16 * (i & 1));
  return tensor1d(words, 'int32');
}

export function composeUnpackHalf({ halves }: UnpackHalfInputs, { shape }: UnpackHalfAttributes): Tensor {
  const values = unpackHalves(hostValues(halves), util.sizeFromShape([...shape]));
  return tensor(values, [...shape]);
}
