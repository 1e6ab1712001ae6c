import { tensor1d } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { bytesToInt32 } from '../../tfjs/bytes';
import { quantizeBlockwiseArray } from '../../blocks/quantize';
import type { Blockwise8bit, QuantizeBlockwiseInputs } from './types';
import type { QuantizeBlockwiseAttributes } from '../../blocks/types';

/** On the host: tfjs has no search in a table that all its backends share. */
export function composeQuantizeBlockwise(
  { x }: QuantizeBlockwiseInputs,
  attributes: QuantizeBlockwiseAttributes,
): Blockwise8bit {
  const { quantized, absmax } = quantizeBlockwiseArray(hostValues(x) as Float32Array, attributes);
  return { quantized: tensor1d(bytesToInt32(quantized), 'int32'), absmax: tensor1d(absmax) };
}
