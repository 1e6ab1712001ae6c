import type { OpDefinition } from '../../engine/op';
import type { DequantizeBlockwiseAttributes, DequantizeBlockwiseInputs } from './types';

export interface BlockwiseViews {
  /** At least one byte a value. */
  readonly quantized: Uint8Array;
  readonly absmax: Float32Array;
  readonly code: Float32Array;
  readonly blocksize: number;
  readonly offset?: number;
}

/** Writes code[quantized]·absmax + offset to `out`, each step rounded to float32. */
export function dequantizeBlockwiseInto(
  out: Float32Array,
  { quantized, absmax, code, blocksize, offset }: BlockwiseViews,
): void {
  for (let block = 0; block * blocksize < out.length; block++) {
    const scale = absmax[block]!;
    const end = Math.min(out.length, (block + 1) * blocksize);
    for (let i = block * blocksize; i < end; i++) {
      const value = code[quantized[i]!]! * scale;
      out[i] = offset === undefined ? value : Math.fround(value) + offset;
    }
  }
}

/** A loop over views of the heap: as fast as SIMD here, for a table look-up has no SIMD form. */
export const wasmDequantizeBlockwise: NonNullable<
  OpDefinition<DequantizeBlockwiseInputs, DequantizeBlockwiseAttributes>['wasm']
> = ({ quantized, absmax, code }, { blocksize, shape }, wasm) => {
  const out = wasm.output([...shape]);
  const view = (tensor: typeof out) => wasm.backend.typedArrayFromHeap(tensor);
  const bytes = view(quantized);
  dequantizeBlockwiseInto(view(out) as Float32Array, {
    quantized: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    absmax: view(absmax) as Float32Array,
    code: view(code) as Float32Array,
    blocksize,
  });
  return [out];
};
