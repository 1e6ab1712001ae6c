import type { Tensor } from '@tensorflow/tfjs-core';
import { checkShape } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { checkBytes } from '../../tfjs/bytes';
import { composeQuantizeBlockwise } from './compose';
import { composeDequantizeBlockwise } from '../../blocks/dequantize';
import type { Blockwise8bit, BlockwiseOptions, DequantizeBlockwiseArguments, QuantizeBlockwiseInputs } from './types';
import type {
  DequantizeBlockwiseAttributes,
  DequantizeBlockwiseInputs,
  QuantizeBlockwiseAttributes,
} from '../../blocks/types';
import { wasmDequantizeBlockwise } from './wasm';
import { webgpuDequantizeBlockwise, webgpuQuantizeBlockwise } from './webgpu';

export { bytesToInt32, int32Count, int32ToBytes } from '../../tfjs/bytes';
export type { Nearest } from '../../formats/nearest';
export { quantizeBlockwiseArray, type Blockwise8bitArray } from '../../blocks/quantize';
export type { Blockwise8bit, BlockwiseOptions, DequantizeBlockwiseArguments } from './types';

const runQuantize = defineOp<QuantizeBlockwiseInputs, QuantizeBlockwiseAttributes, Blockwise8bit>({
  name: 'QQuantizeBlockwise',
  compose: composeQuantizeBlockwise,
  webgpu: webgpuQuantizeBlockwise,
});

const runDequantize = defineOp<DequantizeBlockwiseInputs, DequantizeBlockwiseAttributes>({
  name: 'QDequantizeBlockwise',
  compose: composeDequantizeBlockwise,
  wasm: wasmDequantizeBlockwise,
  webgpu: webgpuDequantizeBlockwise,
});

/**
 * Quantises blocks of the flattened values to 8 bits: absmax of the block, then the nearest of 256 levels (Dettmers et
 * al. 2022, "8-bit Optimizers via Block-wise Quantization", section 2.1; bitsandbytes functional.py
 * quantize_blockwise). NaN and infinity are errors where the values are on the host; webgpu does not look.
 *
 * @param x any shape, float32
 */
export function quantizeBlockwise(
  x: Tensor,
  { code, blocksize = 256, nearest = 'exact' }: BlockwiseOptions,
): Blockwise8bit {
  if (x.dtype !== 'float32') {
    throw new KernelError('BAD_DTYPE', `quantizeBlockwise: x has dtype ${x.dtype}, but float32 is needed`);
  }
  if (code.length !== 256 || code.some((level, i) => i > 0 && level < code[i - 1]!)) {
    throw new KernelError(
      'BAD_ARGUMENT',
      `quantizeBlockwise: code has ${code.length} levels; 256 in ascending order are needed`,
    );
  }
  checkBlocksize('quantizeBlockwise', blocksize);
  return runQuantize({ x }, { code, blocksize, nearest });
}

/** The values that 8-bit codes stand for, code[quantized]·absmax, float32 in the given shape. */
export function dequantizeBlockwise({
  quantized,
  absmax,
  code,
  blocksize,
  shape,
}: DequantizeBlockwiseArguments): Tensor {
  checkBlocksize('dequantizeBlockwise', blocksize);
  const size = shape.reduce((product, extent) => product * extent, 1);
  checkBytes('dequantizeBlockwise', 'quantized', quantized, size);
  checkShape('dequantizeBlockwise', 'absmax', absmax, [Math.ceil(size / blocksize)]);
  checkShape('dequantizeBlockwise', 'code', code, [256]);
  return runDequantize({ quantized, absmax, code }, { blocksize, shape });
}

function checkBlocksize(op: string, blocksize: number): void {
  // A word of four codes then lies in one block.
  if (!Number.isInteger(blocksize) || blocksize < 4 || blocksize % 4 !== 0) {
    throw new KernelError('BAD_ARGUMENT', `${op}: blocksize is ${blocksize}, but a multiple of 4 is needed`);
  }
}
