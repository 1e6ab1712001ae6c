import {
  BLOCKSIZES,
  codeTable,
  createDynamicMap,
  KernelError,
  QUANT_TYPES,
  quantize4bitArray,
  quantizeBlockwiseArray,
} from '@qlora-js/kernels';
import { QuantError } from '../errors';
import { sizeOf, WEIGHT_DTYPES, type QuantizedArrays, type QuantizeOptions } from '../types';
import { torchMean } from './torch-mean';

/** Blocks that share a nested absmax (bitsandbytes functional.py quantize_4bit). */
export const NESTED_BLOCKSIZE = 256;

/** Options with nothing left open. */
export type CheckedOptions = Required<Omit<QuantizeOptions, 'name'>> & { readonly name: string };

export function checkOptions(options: QuantizeOptions): CheckedOptions {
  const { quantType = 'nf4', blocksize = 64, doubleQuant = true, dtype = 'float32', name = 'the tensor' } = options;
  const oneOf = (option: string, value: unknown, allowed: readonly unknown[]): void => {
    if (allowed.includes(value)) return;
    throw new QuantError(
      'BAD_ARGUMENT',
      `${name}: ${option} is ${JSON.stringify(value)}, but one of ${allowed.join(', ')} is needed`,
    );
  };
  oneOf('quantType', quantType, QUANT_TYPES);
  oneOf('blocksize', blocksize, BLOCKSIZES);
  oneOf('dtype', dtype, WEIGHT_DTYPES);
  return { quantType, blocksize, doubleQuant, dtype, name };
}

/**
 * Quantises values to 4 bits with the bytes of bitsandbytes' CPU backend (functional.py quantize_4bit).
 *
 * @param values row-major, float32; 16-bit floats decoded first, which loses nothing
 * @throws QuantError NON_FINITE, BAD_ARGUMENT
 */
export function quantizeArray(
  values: Float32Array,
  shape: readonly number[],
  options: QuantizeOptions = {},
): QuantizedArrays {
  const { quantType, blocksize, doubleQuant, dtype, name } = checkOptions(options);
  if (values.length === 0 || sizeOf(shape) !== values.length) {
    throw new QuantError('BAD_ARGUMENT', `${name}: shape [${shape.join(', ')}] does not fit ${values.length} values`);
  }
  const { packed, absmax } = finite(name, () => quantize4bitArray(values, { quantType, blocksize }));
  const common = { packed, code: codeTable(quantType), shape: [...shape], blocksize, quantType, dtype };
  return doubleQuant ? { ...common, ...nestAbsmax(name, absmax) } : { ...common, absmax };
}

/** Double quantisation: absmax less its mean in 8 bits, blocks of 256, by the signed dynamic map. */
function nestAbsmax(name: string, absmax: Float32Array): Pick<QuantizedArrays, 'absmax' | 'offset' | 'state2'> {
  const offset = torchMean(absmax);
  if (!Number.isFinite(offset)) {
    const largest = absmax.reduce((most, value) => Math.max(most, value), 0);
    throw new QuantError(
      'NON_FINITE',
      `${name}: double quantisation takes the mean of ${absmax.length} block maxima, the largest ${largest}, and their sum ` +
        'is beyond float32 (3.4e38): scale the weight down or set doubleQuant to false',
      { value: largest },
    );
  }
  const code = createDynamicMap({ signed: true });
  const centred = absmax.map((value) => value - offset);
  const { quantized, absmax: nestedAbsmax } = quantizeBlockwiseArray(centred, {
    code,
    blocksize: NESTED_BLOCKSIZE,
    nearest: 'grid',
  });
  return { absmax: quantized, offset, state2: { absmax: nestedAbsmax, code, blocksize: NESTED_BLOCKSIZE } };
}

function finite<Result>(name: string, quantize: () => Result): Result {
  try {
    return quantize();
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'NON_FINITE') throw error;
    throw new QuantError('NON_FINITE', `${name}: ${error.message}`, { cause: error });
  }
}
