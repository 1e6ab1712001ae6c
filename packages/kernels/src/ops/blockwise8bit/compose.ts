import { tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { bytesToInt32 } from '../../tfjs/bytes';
import { quantizeBlockwiseArray } from '../../blocks/quantize';
import type { QuantizeBlockwiseInputs } from './types';
import type { QuantizeBlockwiseAttributes } from '../../blocks/types';

/** On the host: tfjs has no search in a table that all its backends share. */
export function composeQuantizeBlockwise(
  { x }: QuantizeBlockwiseInputs,
  attributes: QuantizeBlockwiseAttributes,
): Tensor[] {
  const { quantized, absmax } = quantizeBlockwiseArray(hostValues(x) as Float32Array, attributes);
  return [tensor1d(bytesToInt32(quantized), 'int32'), tensor1d(absmax)];
}
