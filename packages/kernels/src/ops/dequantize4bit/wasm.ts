import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { OpDefinition, WasmContext } from '../../engine/op';
import { dequantizeBlockwiseInto } from '../blockwise8bit/wasm';
import { blockCount, sizeOf, type Packed4bitAttributes, type Packed4bitInputs } from './types';

type Infos = { [Input in keyof Packed4bitInputs]: TensorInfo | undefined };

/** Room for a float32 absmax and for what a kernel needs beside it, in one piece of scratch. */
export interface WasmAbsmax {
  /** Where the float32 absmax lies. */
  readonly absmax: number;
  readonly scratch: number;
}

/**
 * The float32 absmax the WASM kernels take: the tensor itself, or its 8-bit form decoded into scratch. Memory keeps
 * the 8 bits; decoding one a block costs next to nothing beside the 64 weights of the block.
 */
export function wasmAbsmax(
  inputs: Infos,
  attributes: Packed4bitAttributes,
  wasm: WasmContext,
  scratchBytes: number,
): WasmAbsmax {
  const { absmax, nestedAbsmax, nestedCode, offset } = inputs;
  if (nestedAbsmax === undefined || nestedCode === undefined || offset === undefined) {
    return { absmax: wasm.pointer(absmax), scratch: scratchBytes === 0 ? 0 : wasm.kernels.scratch(scratchBytes) };
  }
  const blocks = blockCount(attributes);
  const aligned = Math.ceil(scratchBytes / 64) * 64;
  const scratch = wasm.kernels.scratch(aligned + 4 * blocks);
  const view = (tensor: TensorInfo) => wasm.backend.typedArrayFromHeap(tensor) as Float32Array;
  const { buffer, byteOffset } = view(absmax!);
  dequantizeBlockwiseInto(new Float32Array(buffer, scratch + aligned, blocks), {
    quantized: new Uint8Array(buffer, byteOffset, blocks),
    absmax: view(nestedAbsmax),
    code: view(nestedCode),
    blocksize: attributes.nestedBlocksize,
    offset: view(offset)[0]!,
  });
  return { absmax: scratch + aligned, scratch };
}

export const wasmDequantize4bit: NonNullable<OpDefinition<Packed4bitInputs, Packed4bitAttributes>['wasm']> = (
  inputs,
  attributes,
  wasm,
) => {
  const out = wasm.output([...attributes.shape]);
  const { absmax } = wasmAbsmax(inputs, attributes, wasm, 0);
  wasm.kernels.dequantize4bit(
    wasm.pointer(inputs.packed),
    sizeOf(attributes.shape),
    absmax,
    wasm.pointer(inputs.code),
    attributes.blocksize,
    wasm.pointer(out),
  );
  return [out];
};
