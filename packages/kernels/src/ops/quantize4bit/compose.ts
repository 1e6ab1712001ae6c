import { tensor1d } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { int32Count } from '../../tfjs/bytes';
import { quantize4bitArray } from './host';
import type { Packed4bit, Quantize4bitAttributes, Quantize4bitInputs } from './types';

/** On the host: tfjs packs no nibbles, and quantising happens once, where the weights come from. */
export function composeQuantize4bit({ x }: Quantize4bitInputs, attributes: Quantize4bitAttributes): Packed4bit {
  const { packed, absmax } = quantize4bitArray(hostValues(x) as Float32Array, attributes);
  return {
    packed: tensor1d(new Int32Array(packed.buffer, 0, int32Count(packed.length)), 'int32'),
    absmax: tensor1d(absmax),
  };
}
