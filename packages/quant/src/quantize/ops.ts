import {
  getBackend,
  mean,
  reshape,
  sub,
  tensor1d,
  tidy,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import {
  codeTable,
  createDynamicMap,
  dequantize4bit as dequantizeOp,
  loraMatmul4bit as loraMatmulOp,
  matmul4bit as matmulOp,
  quantize4bit as quantizeOp,
  quantizeBlockwise,
  type LoraMatmul4bitOptions,
  type Matmul4bitOptions,
  type NestedAbsmax,
  type Weight4bit,
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
  const { absmax: keptAbsmax, nested } = doubleQuant ? nestOnDevice(absmax) : { absmax, nested: undefined };
  const code = tensor1d(codeTable(quantType));
  const parts = { absmax: keptAbsmax, code, shape: values.shape, blocksize, quantType, dtype };
  return new QuantizedTensor(packed, new QuantState(nested === undefined ? parts : { ...parts, nested }));
}

function nestOnDevice(absmax: Tensor1D): { absmax: Tensor; nested: NestedAbsmax } {
  const code = createDynamicMap({ signed: true });
  const { offset, quantized, nestedAbsmax } = tidy(() => {
    const average = reshape(mean(absmax), [1]);
    const result = quantizeBlockwise(sub(absmax, average), { code, blocksize: NESTED_BLOCKSIZE, nearest: 'grid' });
    return { offset: average, quantized: result.quantized, nestedAbsmax: result.absmax };
  });
  absmax.dispose();
  return {
    absmax: quantized,
    nested: { absmax: nestedAbsmax, code: tensor1d(code), offset, blocksize: NESTED_BLOCKSIZE },
  };
}

/** The values that a 4-bit tensor stands for, float32 in its shape; bitsandbytes functional.py dequantize_4bit. */
export function dequantize4bit(quantized: QuantizedTensor): Tensor {
  return dequantizeOp(quantized);
}

/**
 * y = x·Wᵀ + bias with a 4-bit W; gradients flow to x and the bias, never to W.
 *
 * @param x [rows, K]
 * @param weight [N, K] = [outFeatures, inFeatures]
 * @returns [rows, N]
 */
export function matmul4bit(x: Tensor2D, weight: QuantizedTensor, options: Matmul4bitOptions = {}): Tensor2D {
  return matmulOp(x, asMatrix('matmul4bit', weight), options);
}

/**
 * A linear layer with LoRA on a 4-bit W in as few passes as the device allows; see kernels' `loraMatmul4bit`.
 *
 * @param x [rows, K]
 * @param weight [N, K] = [outFeatures, inFeatures]
 * @returns [rows, N]
 */
export function loraMatmul4bit(x: Tensor2D, weight: QuantizedTensor, options: LoraMatmul4bitOptions): Tensor2D {
  return loraMatmulOp(x, asMatrix('loraMatmul4bit', weight), options);
}

function asMatrix(op: string, weight: QuantizedTensor): Weight4bit {
  const [N, K, ...rest] = weight.shape;
  if (N === undefined || K === undefined || rest.length > 0) {
    throw new QuantError(
      'BAD_ARGUMENT',
      `${op}: the weight has shape [${weight.shape.join(', ')}], but [N, K] is needed`,
    );
  }
  const { packed, absmax, code, nested, blocksize, quantType } = weight;
  return { packed, absmax, code, nested, blocksize, quantType, shape: [N, K] };
}
