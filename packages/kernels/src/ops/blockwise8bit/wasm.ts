import { dequantizeBlockwiseInto } from '../../blocks/dequantize';
import type { WasmKernel } from '../../engine/op';
import type { DequantizeBlockwiseAttributes, DequantizeBlockwiseInputs } from '../../blocks/types';

/** A loop over views of the heap: as fast as SIMD here, for a table look-up has no SIMD form. */
export const wasmDequantizeBlockwise: WasmKernel<DequantizeBlockwiseInputs, DequantizeBlockwiseAttributes> = (
  { quantized, absmax, code },
  { blocksize, shape },
  wasm,
) => {
  const out = wasm.output([...shape]);
  const view = (tensor: typeof out) => wasm.backend.typedArrayFromHeap(tensor);
  const bytes = view(quantized);
  dequantizeBlockwiseInto(view(out) as Float32Array, {
    quantized: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    absmax: view(absmax) as Float32Array,
    code: view(code) as Float32Array,
    blocksize,
  });
  return out;
};
