import { gather, mul, pad, reshape, slice, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../engine/host';
import { bytesToInt32, composeBytes } from './bytes';
import { quantizeBlockwiseArray } from './host';
import type {
  DequantizeBlockwiseAttributes,
  DequantizeBlockwiseInputs,
  QuantizeBlockwiseAttributes,
  QuantizeBlockwiseInputs,
} from './types';

/** On the host: tfjs has no search in a table that all its backends share. */
export function composeQuantizeBlockwise(
  { x }: QuantizeBlockwiseInputs,
  attributes: QuantizeBlockwiseAttributes,
): Tensor[] {
  const { quantized, absmax } = quantizeBlockwiseArray(hostValues(x) as Float32Array, attributes);
  return [tensor1d(bytesToInt32(quantized), 'int32'), tensor1d(absmax)];
}

export function composeDequantizeBlockwise(
  { quantized, absmax, code }: DequantizeBlockwiseInputs,
  { blocksize, shape }: DequantizeBlockwiseAttributes,
): Tensor[] {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const levels = gather(code, composeBytes(quantized, size));
  return [reshape(composeScaled(levels, absmax, blocksize), [...shape])];
}

/** Each block of `blocksize` levels times its absmax; the last block may be short. */
export function composeScaled(levels: Tensor, absmax: Tensor, blocksize: number): Tensor {
  const { size } = levels;
  const whole = absmax.size * blocksize;
  const padded = whole === size ? levels : pad(levels, [[0, whole - size]]);
  const scaled = reshape(mul(reshape(padded, [absmax.size, blocksize]), reshape(absmax, [absmax.size, 1])), [-1]);
  return whole === size ? scaled : slice(scaled, 0, size);
}
