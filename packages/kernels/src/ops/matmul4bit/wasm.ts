import type { WasmKernel } from '../../engine/op';
import { wasmAbsmax } from '../../four-bit/wasm-absmax';
import { productSizes, type Matmul4bitAttributes, type Matmul4bitInputs } from '../../products/types';

export const wasmMatmul4bit: WasmKernel<Matmul4bitInputs, Matmul4bitAttributes> = (inputs, attributes, wasm) => {
  const rows = inputs.x.shape[0] ?? 0;
  const [N, K] = attributes.shape;
  const transposed = Number(attributes.transposed);
  const y = wasm.output([rows, productSizes(attributes).columns]);
  const { absmax, scratch } = wasmAbsmax(inputs, attributes, wasm, wasm.kernels.gemm4bitScratchBytes());
  wasm.call.gemm4bit({
    transposed,
    M: rows,
    N,
    K,
    a: wasm.pointer(inputs.x),
    packed: wasm.pointer(inputs.packed),
    absmax,
    code: wasm.pointer(inputs.code),
    blocksize: attributes.blocksize,
    bias: wasm.pointer(inputs.bias),
    c: wasm.pointer(y),
    scratch,
  });
  return y;
};
