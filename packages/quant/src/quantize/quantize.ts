import { getBackend, mean, reshape, sub, tensor1d, tidy, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import {
  codeTable,
  createDynamicMap,
  quantize4bit as quantizeOp,
  quantizeBlockwise,
  type QuantState as QuantStateParts,
} from '@qlora-js/kernels';
import { QuantError } from '../errors';
import { QuantizedTensor, QuantState } from '../state/quant-state';
import { toDevice } from '../state/transfer';
import type { QuantizeOptions } from '../types';
import { checkOptions, NESTED_BLOCKSIZE, quantizeArray } from './quantize-array';

export interface QuantizeArrayOptions extends QuantizeOptions {
  /** Shape of the values; one dimension by default. */
  readonly shape?: readonly number[];
}

/**
 * Quantises to 4 bits in blocks of the flattened values (QLoRA, Dettmers et al. 2023, section 3; bitsandbytes
 * functional.py quantize_4bit). Values in an array, and tensors of any backend but webgpu, give the bytes of
 * bitsandbytes' CPU backend. A tensor on webgpu stays there: the mean that double quantisation subtracts may then
 * differ in its last bit, and a block with NaN or infinity becomes NaN instead of an error.
 *
 * @param values any shape, float32
 * @throws QuantError NON_FINITE naming the tensor, BAD_ARGUMENT
 */
export function quantize4bit(values: Float32Array, options?: QuantizeArrayOptions): QuantizedTensor;
export function quantize4bit(values: Tensor, options?: QuantizeOptions): QuantizedTensor;
export function quantize4bit(values: Float32Array | Tensor, options: QuantizeArrayOptions = {}): QuantizedTensor {
  if (values instanceof Float32Array) return toDevice(quantizeArray(values, options.shape ?? [values.length], options));
  if (values.dtype !== 'float32') {
    throw new QuantError(
      'BAD_ARGUMENT',
      `${options.name ?? 'the tensor'}: dtype is ${values.dtype}, but float32 is needed`,
    );
  }
  if (getBackend() === 'webgpu') return quantizeOnDevice(values, options);
  return toDevice(quantizeArray(values.dataSync<'float32'>(), values.shape, options));
}

function quantizeOnDevice(values: Tensor, options: QuantizeOptions): QuantizedTensor {
  const { quantType, blocksize, doubleQuant, dtype } = checkOptions(options);
  const { packed, absmax } = quantizeOp(values, { quantType, blocksize });
  const scales = doubleQuant ? nestOnDevice(absmax) : { absmax };
  const code = tensor1d(codeTable(quantType));
  return new QuantizedTensor(
    packed,
    new QuantState({ ...scales, code, shape: values.shape, blocksize, quantType, dtype }),
  );
}

function nestOnDevice(absmax: Tensor1D): Pick<QuantStateParts, 'absmax' | 'offset' | 'state2'> {
  const code = createDynamicMap({ signed: true });
  const { offset, quantized, nestedAbsmax } = tidy(() => {
    const average = reshape(mean(absmax), [1]);
    const result = quantizeBlockwise(sub(absmax, average), { code, blocksize: NESTED_BLOCKSIZE, nearest: 'grid' });
    return { offset: average, quantized: result.quantized, nestedAbsmax: result.absmax };
  });
  absmax.dispose();
  return {
    absmax: quantized,
    offset,
    state2: { absmax: nestedAbsmax, code: tensor1d(code), blocksize: NESTED_BLOCKSIZE },
  };
}
