import { tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../engine/host';
import { halfBits, halfValues } from './bits';
import { wordsOf, type PackHalfInputs, type UnpackHalfAttributes, type UnpackHalfInputs } from './types';

/** On the host: tfjs has no cast to bits. */
export function composePackHalf({ x }: PackHalfInputs): Tensor[] {
  const values = hostValues(x);
  const words = new Int32Array(wordsOf(x.size));
  for (let i = 0; i < values.length; i++) words[i >> 1]! |= halfBits(values[i]!) << (16 * (i & 1));
  return [tensor1d(words, 'int32')];
}

export function composeUnpackHalf({ halves }: UnpackHalfInputs, { shape }: UnpackHalfAttributes): Tensor[] {
  const words = hostValues(halves);
  const table = halfValues();
  const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let i = 0; i < values.length; i++) values[i] = table[(words[i >> 1]! >>> (16 * (i & 1))) & 0xffff]!;
  return [tensor(values, [...shape])];
}
