import { dtypeBits, elementCount, type SafetensorsDtype } from '../dtype/dtypes';
import { shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { pickleLimits } from './limits';
import { PickleObject } from './values';

/** A storage that a pickle names: a run of elements that lies elsewhere in the file. */
export class TorchStorage extends PickleObject {
  readonly describe = 'a torch storage';
  readonly itemBytes: number;

  constructor(
    readonly dtype: SafetensorsDtype,
    /** The storage's name in the file; views on one storage share it. */
    readonly key: string,
    /** Elements of the whole storage of that name. */
    readonly rootElements: number,
    /** First element of the view and its length (some legacy files; the whole storage elsewhere). */
    readonly start: number,
    readonly elements: number,
  ) {
    super();
    this.itemBytes = dtypeBits(dtype) / 8;
  }
}

/** A tensor as torch keeps it: a strided view on a storage. */
export class TorchTensor extends PickleObject {
  readonly describe = 'a torch tensor';
  readonly elements: number;

  constructor(
    readonly storage: TorchStorage,
    readonly dtype: SafetensorsDtype,
    /** Element of the storage at which the tensor starts. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {
    super();
    this.elements = elementCount(shape)!;
  }

  get byteLength(): number {
    return this.elements * this.storage.itemBytes;
  }

  /** Elements from the first one used to the last one used, inclusive. */
  get span(): number {
    if (this.elements === 0) return 0;
    return this.shape.reduce((last, size, axis) => last + (size - 1) * this.stride[axis]!, 1);
  }

  get contiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.stride[axis] !== expected) return false;
      expected *= this.shape[axis]!;
    }
    return true;
  }
}

/** Checks a tensor's geometry against its storage, so that no read of it can go astray. */
export function checkedTensor(
  tensor: {
    storage: TorchStorage;
    dtype: SafetensorsDtype;
    offset: number;
    shape: readonly unknown[];
    stride: readonly unknown[];
  },
  place: string,
): TorchTensor {
  const { storage, dtype, offset, shape, stride } = tensor;
  // The lengths come first: one long tuple may be the shape of many tensors.
  const paired = shape.length === stride.length && shape.length <= pickleLimits.dimensions;
  const count = paired ? elementCount(shape) : undefined;
  if (count === undefined || !isGeometry(shape) || !isGeometry(stride)) {
    throw new HubError(
      'CORRUPT_FILE',
      `${place}: a tensor has the impossible shape ${shown(shape)}, strides ${shown(stride)}, offset ${offset}. Fetch it again.`,
      { place },
    );
  }
  const result = new TorchTensor(storage, dtype, offset, shape, stride);
  // Comparisons stay right where the sum is inexact: such a span is far past any storage.
  if (count > 0 && offset + result.span > storage.elements) {
    throw new HubError(
      'CORRUPT_FILE',
      `${place}: a tensor of shape ${shown(shape)}, strides ${shown(stride)}, offset ${offset} leaves its storage ` +
        `${shown(storage.key)} of ${storage.elements} elements`,
      { place },
    );
  }
  return result;
}

function isGeometry(values: readonly unknown[]): values is readonly number[] {
  return values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
}

/** Row-major bytes of a strided tensor; `span` holds its storage from the first element used to the last. */
export function gather(tensor: TorchTensor, span: Uint8Array): Uint8Array {
  const { itemBytes } = tensor.storage;
  const result = new Uint8Array(tensor.byteLength);
  if (tensor.elements === 0) return result;
  // 8-byte elements go as pairs of words: a copy through floats could change the bits of a NaN.
  const pair = itemBytes === 8 ? 2 : 1;
  const from = words(span, itemBytes / pair);
  const to = words(result, itemBytes / pair);
  const axes = tensor.shape.map((size, axis) => ({ size, stride: tensor.stride[axis]! * pair }));
  axes.push({ size: pair, stride: 1 });
  const outer = axes.filter(({ size }) => size > 1);
  const inner = outer.pop() ?? { size: 1, stride: 0 };
  const index = new Array<number>(outer.length).fill(0);
  let start = 0;
  for (let at = 0; at < to.length;) {
    for (let i = 0; i < inner.size; i++) to[at++] = from[start + i * inner.stride]!;
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const { size, stride } = outer[axis]!;
      start += stride;
      if (++index[axis]! < size) break;
      start -= size * stride;
      index[axis] = 0;
    }
  }
  return result;
}

/** The bytes as unsigned words of 1, 2 or 4 bytes, copied where they are not aligned. */
function words(bytes: Uint8Array, size: number): Uint8Array | Uint16Array | Uint32Array {
  if (size === 1) return bytes;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return size === 2
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : new Uint32Array(buffer, byteOffset, byteLength / 4);
}
