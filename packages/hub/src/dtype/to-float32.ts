import { shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { type StoredTensor } from '../tensor';
import { bfloat16ToFloat32 } from './bfloat16';
import { float16ToFloat32 } from './float16';

/**
 * The values of a floating-point tensor as float32, row-major. F16 and BF16 are exact, F64 is rounded to the nearest.
 * For F32 the result shares the tensor's memory where that is aligned to 4 bytes: copy before writing to it.
 * Throws `HubError` `UNSUPPORTED` for integers, booleans, complex numbers and 8-bit floats.
 *
 * @param into memory for the values of F16 and BF16, as many as the tensor has; new memory where it is left out
 */
export function toFloat32(tensor: StoredTensor, into?: Float32Array): Float32Array {
  const { bytes } = tensor;
  switch (tensor.dtype) {
    case 'F32':
      return new Float32Array(...aligned(bytes, 4));
    case 'F16':
      return float16ToFloat32(new Uint16Array(...aligned(bytes, 2)), into);
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(...aligned(bytes, 2)), into);
    case 'F64':
      return Float32Array.from(new Float64Array(...aligned(bytes, 8)));
    default:
      throw new HubError(
        'UNSUPPORTED',
        `tensor ${shown(tensor.name)} is ${tensor.dtype}, not one of F64, F32, F16, BF16: read its bytes as they are`,
        { value: tensor.dtype },
      );
  }
}

/** Buffer, offset and element count of a typed array over `bytes`, copied where they are not aligned. */
function aligned(bytes: Uint8Array, size: number): [ArrayBufferLike, number, number] {
  // Not slice(): a Buffer's gives a view.
  const at = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return [at.buffer, at.byteOffset, at.byteLength / size];
}
