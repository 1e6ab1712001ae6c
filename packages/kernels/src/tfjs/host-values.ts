import { dataOf, internalsOf } from './backend';
import { engine, type Tensor } from '@tensorflow/tfjs-core';

/**
 * Values of a tensor on the host, from inside `compose`. On cpu and wasm this is a view or a copy of the memory at
 * hand; webgpu can't read synchronously in Node, so a compose that needs values brings a WGSL kernel along.
 */
export function hostValues(tensor: Tensor): Float32Array | Int32Array {
  return engine().backend.readSync(tensor.dataId) as Float32Array | Int32Array;
}

/**
 * The values of a tensor where the host has them without waiting for a device: always on cpu and wasm, on webgpu until
 * the tensor's first use.
 */
export function knownValues(tensor: Tensor): ArrayLike<number> | undefined {
  const { backend, backendName } = engine();
  if (backendName !== 'webgpu') return backend.readSync(tensor.dataId) as Int32Array;
  return dataOf(internalsOf(backend), tensor.dataId)?.values ?? undefined;
}
