import type { WasmKernel } from '../../engine/op';
import { sizeOf, type Packed4bitAttributes, type Packed4bitInputs } from '../../four-bit/types';
import { wasmAbsmax } from '../../four-bit/wasm-absmax';

export const wasmDequantize4bit: WasmKernel<Packed4bitInputs, Packed4bitAttributes> = (inputs, attributes, wasm) => {
  const out = wasm.output([...attributes.shape]);
  const { absmax } = wasmAbsmax(inputs, attributes, wasm, 0);
  wasm.call.dequantize4bit({
    packed: wasm.pointer(inputs.packed),
    n: sizeOf(attributes.shape),
    absmax,
    code: wasm.pointer(inputs.code),
    blocksize: attributes.blocksize,
    out: wasm.pointer(out),
  });
  return out;
};
