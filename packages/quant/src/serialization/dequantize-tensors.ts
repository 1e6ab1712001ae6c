import { QuantError } from '../errors';
import { dequantizeArray } from '../quantize/dequantize-array';
import type { StoredTensorLike } from '../types';
import { quantStateFromTensors } from './state-dict';

/** Reads a 4-bit weight from its stored tensors straight into float32, on the host. */
export function dequantizeTensors(
  name: string,
  tensors: Iterable<StoredTensorLike>,
  shape: readonly number[],
): Float32Array<ArrayBuffer> {
  const arrays = quantStateFromTensors(name, tensors);
  checkStoredShape(name, arrays.shape, shape);
  return dequantizeArray(arrays);
}

/** @throws QuantError BAD_STATE where a stored 4-bit weight stands for another shape than the model's */
export function checkStoredShape(name: string, stored: readonly number[], needed: readonly number[]): void {
  if (stored.join() === needed.join()) return;
  throw new QuantError(
    'BAD_STATE',
    `the 4-bit weight '${name}' stands for shape [${stored.join(', ')}], but [${needed.join(', ')}] is needed`,
  );
}
