import { tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../engine/host';
import { halfBits, halfValue } from './bits';
import { wordsOf, type PackHalfInputs, type UnpackHalfAttributes, type UnpackHalfInputs } from './types';

/** On the host: tfjs has no cast to bits. */
export function composePackHalf({ x }: PackHalfInputs): Tensor[] {
  const words = new Int32Array(wordsOf(x.size));
  hostValues(x).forEach((value, i) => {
    words[i >> 1]! |= halfBits(value) << (16 * (i & 1));
  });
  return [tensor1d(words, 'int32')];
}

export function composeUnpackHalf({ halves }: UnpackHalfInputs, { shape }: UnpackHalfAttributes): Tensor[] {
  const words = hostValues(halves);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = Float32Array.from({ length: size }, (_, i) => halfValue((words[i >> 1]! >>> (16 * (i & 1))) & 0xffff));
  return [tensor(values, [...shape])];
}
