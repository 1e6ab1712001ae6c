import type { Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { check4bitFormat } from '../../four-bit/format';
import { composeQuantize4bit } from './compose';
import type { Packed4bit, Quantize4bitAttributes, Quantize4bitInputs, Quantize4bitOptions } from './types';
import { webgpuQuantize4bit } from './webgpu';

export { BLOCKSIZES, check4bitFormat } from '../../four-bit/format';
export { quantize4bitArray, type Packed4bitArray } from './host';
export type { Packed4bit, Quantize4bitOptions } from './types';

const run = defineOp<Quantize4bitInputs, Quantize4bitAttributes, Packed4bit>({
  name: 'QQuantize4bit',
  compose: composeQuantize4bit,
  webgpu: webgpuQuantize4bit,
});

/**
 * Quantises blocks of the flattened values to 4 bits (QLoRA, section 2, equations 1 and 4; bitsandbytes functional.py
 * quantize_4bit, with the bytes of its CPU backend). NaN and infinity are errors where the values are on the host;
 * webgpu does not look.
 *
 * @param x any shape, float32
 */
export function quantize4bit(x: Tensor, { quantType = 'nf4', blocksize = 64 }: Quantize4bitOptions = {}): Packed4bit {
  if (x.dtype !== 'float32') {
    throw new KernelError('BAD_DTYPE', `quantize4bit: x has dtype ${x.dtype}, but float32 is needed`);
  }
  check4bitFormat('quantize4bit', quantType, blocksize);
  return run({ x }, { quantType, blocksize });
}
