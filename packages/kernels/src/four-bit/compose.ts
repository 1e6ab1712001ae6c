import { add, gather, reshape, slice, stack, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { composeBytes } from '../tfjs/bytes';
import { composeDequantizeBlockwise, composeScaled } from '../blocks/dequantize';
import { blockCount, sizeOf, type Packed4bitAttributes, type Packed4bitInputs } from './types';

export function composeDequantize4bit(inputs: Packed4bitInputs, attributes: Packed4bitAttributes): Tensor {
  const { packed, code } = inputs;
  const size = sizeOf(attributes.shape);
  const bytes = composeBytes(packed, Math.ceil(size / 2));
  // The two levels a byte stands for, [256, 2]: one look-up gives both.
  const nibbles = Array.from({ length: 256 }, (_, byte) => byte);
  const high = gather(
    code,
    tensor1d(
      nibbles.map((byte) => byte >> 4),
      'int32',
    ),
  );
  const low = gather(
    code,
    tensor1d(
      nibbles.map((byte) => byte & 15),
      'int32',
    ),
  );
  const levels = slice(reshape(gather(stack([high, low], -1), bytes), [-1]), 0, size);
  const scaled = composeScaled(levels, composeAbsmax(inputs, attributes), attributes.blocksize);
  return reshape(scaled, [...attributes.shape]);
}

/** float32 absmax [blocks] of a 4-bit tensor, out of its 8-bit form where it has one. */
function composeAbsmax(inputs: Packed4bitInputs, attributes: Packed4bitAttributes): Tensor {
  const { absmax, nestedAbsmax, nestedCode, offset } = inputs;
  if (nestedAbsmax === undefined || nestedCode === undefined || offset === undefined) return absmax;
  const centred = composeDequantizeBlockwise(
    { quantized: absmax, absmax: nestedAbsmax, code: nestedCode },
    { blocksize: attributes.nestedBlocksize, shape: [blockCount(attributes)] },
  );
  return add(centred, offset);
}
