import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { engine, tensor, util, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import { flush, internalsOf, placeOf } from './backend';

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
    // What is encoded and not submitted may still use a buffer that tfjs takes again; a write would overtake it.
    flush(internals);
    const { buffer, offset: start } = placeOf(internals, info.dataId);
    return filled(info, parts, (part, offset) =>
      internals.queue.writeBuffer(buffer, start + 4 * offset, part as Float32Array<ArrayBuffer>),
    );
  }
  if (backendName === 'wasm') {
    const wasm = backend as BackendWasm;
    const info = wasm.makeOutput([...shape], 'float32');
    // The heap moves where it grows, so the view is taken anew for each part.
    return filled(info, parts, (part, offset) => (wasm.typedArrayFromHeap(info) as Float32Array).set(part, offset));
  }
  const values = new Float32Array(util.sizeFromShape([...shape]));
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  return tensor(values, [...shape], 'float32');
}

/** The tensor once all parts are written; nothing of it is left where one fails. */
function filled(
  info: TensorInfo,
  parts: Iterable<Float32Array>,
  write: (part: Float32Array, offset: number) => void,
): Tensor {
  try {
    let offset = 0;
    for (const part of parts) {
      write(part, offset);
      offset += part.length;
    }
  } catch (error) {
    engine().backend.disposeData(info.dataId);
    throw error;
  }
  return engine().makeTensorFromTensorInfo(info);
}
