import { mul, tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { DropoutStream, dropoutNumbers } from '../../random/dropout-stream';
import type { Site } from './types';

/** 32-bit words of a dropout's keep bits: bit i & 31 of word i >> 5 is set where element i is kept. */
export const keepWords = (size: number): number => Math.ceil(size / 32);

/** Of a matrix of that shape, on the host: Philox has no form in tfjs ops. */
export function drawKeepBits(
  [rows = 0, columns = 0]: readonly number[],
  random: Tensor,
  { rate, site }: Site,
): Int32Array {
  const stream = new DropoutStream(hostValues(random), site, dropoutNumbers(rate).threshold);
  const bits = new Int32Array(keepWords(rows * columns));
  for (let i = 0; i < rows * columns; i++) {
    if (stream.keeps(Math.floor(i / columns), i % columns)) bits[i >> 5]! |= 1 << (i & 31);
  }
  return bits;
}

/** x where it is kept, times `scale`, and 0 elsewhere. */
export function applyKeepBits(x: Tensor, keepBits: Tensor, scale: number): Tensor {
  const bits = hostValues(keepBits);
  const factors = Float32Array.from({ length: x.size }, (_, i) => ((bits[i >> 5]! >>> (i & 31)) & 1) * scale);
  return mul(x, tensor(factors, x.shape));
}

export const keepBitsTensor = (bits: Int32Array): Tensor => tensor1d(bits, 'int32');
