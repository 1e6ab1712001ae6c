import { KernelError } from '../errors';
import { blockwiseBounds, gridStep } from '../formats/nearest';
import type { QuantizeBlockwiseAttributes } from './types';

/** Smallest divisor: bitsandbytes backends/default/ops.py clamps absmax to it before taking the reciprocal. */
export const MIN_ABSMAX = Math.fround(1e-38);

/** A typed array quantised to 8 bits in blocks. */
export interface Blockwise8bitArray {
  /** A code a value. */
  readonly quantized: Uint8Array;
  /** One a block. */
  readonly absmax: Float32Array;
}

/**
 * `quantizeBlockwise` on the host's memory, with the same bytes.
 *
 * @throws KernelError NON_FINITE
 */
export function quantizeBlockwiseArray(
  values: Float32Array,
  { code, blocksize, nearest }: QuantizeBlockwiseAttributes,
): Blockwise8bitArray {
  const bounds = blockwiseBounds(code, nearest);
  const quantized = new Uint8Array(values.length);
  const absmax = blockAbsmax(values, blocksize);
  for (let block = 0; block < absmax.length; block++) {
    if (nearest === 'grid' && absmax[block] === 0) continue;
    const reciprocal = Math.fround(1 / Math.max(absmax[block]!, MIN_ABSMAX));
    const end = Math.min(values.length, (block + 1) * blocksize);
    for (let i = block * blocksize; i < end; i++) {
      const scaled = Math.min(1, Math.max(-1, Math.fround(values[i]! * reciprocal)));
      quantized[i] = countBelow(bounds, nearest === 'grid' ? gridStep(scaled) : scaled);
    }
  }
  return { quantized, absmax };
}

/** Bits of infinity: a magnitude with these or more is no finite number. */
const INFINITY_BITS = 0x7f80_0000;

/**
 * Largest magnitude of each block of values. Bits of magnitudes order as the magnitudes do, NaN last, which finds
 * both in one integer comparison a value.
 *
 * @throws KernelError NON_FINITE at the first NaN or infinity
 */
export function blockAbsmax(values: Float32Array, blocksize: number): Float32Array {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const absmax = new Float32Array(Math.ceil(values.length / blocksize));
  const absmaxBits = new Int32Array(absmax.buffer);
  for (let block = 0; block < absmax.length; block++) {
    const end = Math.min(values.length, (block + 1) * blocksize);
    let largest = 0;
    for (let i = block * blocksize; i < end; i++) {
      const magnitude = bits[i]! & 0x7fff_ffff;
      largest = magnitude > largest ? magnitude : largest;
    }
    if (largest >= INFINITY_BITS) refuseNonFinite(values);
    absmaxBits[block] = largest;
  }
  return absmax;
}

function refuseNonFinite(values: Float32Array): never {
  const index = values.findIndex((value) => !Number.isFinite(value));
  throw new KernelError(
    'NON_FINITE',
    `element ${index} of ${values.length} is ${values[index]}, which can't be quantised: look for it in the checkpoint ` +
      'or in what computed the tensor',
  );
}

/** How many ascending bounds lie strictly below a value. */
function countBelow(bounds: Float32Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
