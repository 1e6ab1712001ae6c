import { engine, type Tensor } from '@tensorflow/tfjs-core';

/**
 * Values of a tensor on the host, from inside `compose`. On cpu and wasm this is a view or a copy of the memory at
 * hand; webgpu can't read synchronously in Node, so a compose that needs values brings a WGSL kernel along.
 */
export function hostValues(tensor: Tensor): Float32Array | Int32Array {
  return engine().backend.readSync(tensor.dataId) as Float32Array | Int32Array;
}
