import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { engine, tensor, util, type Tensor } from '@tensorflow/tfjs-core';
import { internalsOf, placeOf } from './backend';

/**
 * A float32 tensor whose values come part by part, in row-major order: a large one never lies on the host as a whole
 * beside its place on the device (on cpu and tensorflow, which are the host, it is collected). A part's memory may be
 * used again for the next one.
 *
 * @param shape as many values as the parts have together
 */
export function tensorFromParts(shape: readonly number[], parts: Iterable<Float32Array>): Tensor {
  const { backend, backendName } = engine();
  if (backendName === 'webgpu') {
    const internals = internalsOf(backend);
    const info = internals.makeTensorInfo([...shape], 'float32');
    const place = placeOf(internals, info.dataId);
    let offset = 0;
    for (const part of parts) {
      internals.queue.writeBuffer(place.buffer, place.offset + 4 * offset, part as Float32Array<ArrayBuffer>);
      offset += part.length;
    }
    return engine().makeTensorFromTensorInfo(info);
  }
  if (backendName === 'wasm') {
    const wasm = backend as BackendWasm;
    const info = wasm.makeOutput([...shape], 'float32');
    // The heap moves where it grows, so the view is taken anew for each part.
    let offset = 0;
    for (const part of parts) {
      (wasm.typedArrayFromHeap(info) as Float32Array).set(part, offset);
      offset += part.length;
    }
    return engine().makeTensorFromTensorInfo(info);
  }
  const values = new Float32Array(util.sizeFromShape([...shape]));
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  return tensor(values, [...shape], 'float32');
}
