import { KernelError } from '../errors';
import { QUANT_TYPES, type QuantType } from '../formats/codes';

/** The block sizes bitsandbytes allows for 4 bits (functional.py quantize_4bit). */
export const BLOCKSIZES: readonly number[] = [32, 64, 128, 256, 512, 1024, 2048, 4096];

export function check4bitFormat(op: string, quantType: QuantType, blocksize: number): void {
  if (!QUANT_TYPES.includes(quantType)) {
    throw new KernelError(
      'BAD_ARGUMENT',
      `${op}: quantType is '${String(quantType)}', but one of ${QUANT_TYPES.join(', ')} is needed`,
    );
  }
  if (!BLOCKSIZES.includes(blocksize)) {
    throw new KernelError(
      'BAD_ARGUMENT',
      `${op}: blocksize is ${blocksize}, but one of ${BLOCKSIZES.join(', ')} is needed`,
    );
  }
}
