import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { InfoOf } from '../engine/tensors';
import type { Packed4bitInputs } from './types';
import { dequantizeBlockwiseInto } from '../blocks/dequantize';
import type { WasmContext } from '../wasm/context';
import { blockCount, type Packed4bitAttributes } from './types';

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
  inputs: InfoOf<Packed4bitInputs>,
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
  const { buffer, byteOffset } = view(absmax);
  dequantizeBlockwiseInto(new Float32Array(buffer, scratch + aligned, blocks), {
    quantized: new Uint8Array(buffer, byteOffset, blocks),
    absmax: view(nestedAbsmax),
    code: view(nestedCode),
    blocksize: attributes.nestedBlocksize,
    offset: view(offset)[0]!,
  });
  return { absmax: scratch + aligned, scratch };
}
