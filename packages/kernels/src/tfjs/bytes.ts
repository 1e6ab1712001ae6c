import { floorDiv, mod, reshape, scalar, slice, stack, type Tensor } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';

// tfjs has no uint8. A stream of bytes lies little-endian in an int32 tensor, four bytes an element, zeros at the end.

/** How many int32 elements hold so many bytes. */
export function int32Count(byteCount: number): number {
  return Math.ceil(byteCount / 4);
}

/** The int32 elements of a byte stream; a view where the bytes allow it. */
export function bytesToInt32(bytes: Uint8Array): Int32Array {
  if (bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0) {
    return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  const padded = new Int32Array(int32Count(bytes.length));
  new Uint8Array(padded.buffer).set(bytes);
  return padded;
}

/** The first `byteCount` bytes of a stream held in int32 elements: a view. */
export function int32ToBytes(elements: Int32Array, byteCount: number): Uint8Array {
  return new Uint8Array(elements.buffer, elements.byteOffset, byteCount);
}

/** The bytes of a stream as an int32 tensor [byteCount] of 0..255, out of tfjs ops. */
export function composeBytes(packed: Tensor, byteCount: number): Tensor {
  const parts = [1, 256, 65536, 16777216].map((weight) =>
    mod(floorDiv(packed, scalar(weight, 'int32')), scalar(256, 'int32')),
  );
  return slice(reshape(stack(parts, -1), [-1]), 0, byteCount);
}

/** Checks that a tensor holds a byte stream of a given length. */
export function checkBytes(op: string, argument: string, tensor: Tensor, byteCount: number): void {
  if (tensor.dtype !== 'int32' || tensor.size !== int32Count(byteCount)) {
    throw new KernelError(
      'BAD_SHAPE',
      `${op}: ${argument} is ${tensor.dtype} [${tensor.shape.join(', ')}], but ${byteCount} bytes in an int32 tensor of ` +
        `${int32Count(byteCount)} elements are needed`,
    );
  }
}
