import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { attachWasmKernels, type WasmKernels } from './attach';
import type { WasmCalls } from './exports';

/** What a WASM kernel works with: the tfjs backend, our kernels in its memory, and pointers. */
export interface WasmContext {
  readonly backend: BackendWasm;
  readonly kernels: WasmKernels;
  /** The kernels, called by the names of their parameters. */
  readonly call: WasmCalls;
  /** Byte offset of a tensor's data in the WASM memory; 0 for an absent one. */
  pointer(tensor: TensorInfo | undefined): number;
  output(shape: number[], dtype?: 'float32' | 'int32'): TensorInfo;
}

const contexts = new WeakMap<BackendWasm, WasmContext>();

/** The context of a backend, made once. */
export function wasmContext(backend: BackendWasm): WasmContext {
  let context = contexts.get(backend);
  if (context === undefined) {
    const kernels = attachWasmKernels(backend);
    context = {
      backend,
      kernels,
      call: kernels.call,
      pointer: (tensor) => (tensor === undefined ? 0 : backend.dataIdMap.get(tensor.dataId).memoryOffset),
      output: (shape, dtype = 'float32') => backend.makeOutput(shape, dtype),
    };
    contexts.set(backend, context);
  }
  return context;
}
